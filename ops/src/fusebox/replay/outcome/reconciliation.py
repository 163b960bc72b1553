"""What must be left of each product, by the script and the answers alone, and what is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from fusebox.replay.plan import Script

PENDING, CONFIRMED = "PENDING", "CONFIRMED"


@dataclass(frozen=True)
class Difference:
    """`found` is None when the shop does not know the product."""

    product: str
    expected: int
    found: int | None


def expected_stocks(
    script: Script, accepted: Mapping[int, str], statuses: Mapping[str, str]
) -> dict[str, int]:
    """By code: the first stock without what was confirmed; anything else has taken nothing."""
    sold = Counter[str]()
    for order in script.orders:
        if statuses.get(accepted.get(order.number, "")) == CONFIRMED:
            sold.update(order.quantities)
    return {code: product.stock - sold[code] for code, product in script.products.items()}


def differences(expected: Mapping[str, int], found: Mapping[str, int]) -> list[Difference]:
    return [
        Difference(product, stock, found.get(product))
        for product, stock in expected.items()
        if found.get(product) != stock
    ]


def lost(accepted: Mapping[int, str], statuses: Collection[str]) -> list[str]:
    """Orders that were accepted and are not there."""
    return sorted(set(accepted.values()).difference(statuses))


def doubled(accepted: Mapping[int, str], statuses: Collection[str]) -> list[str]:
    """Orders of our customers that nobody was told of: the second effect of one request."""
    return sorted(set(statuses).difference(accepted.values()))

"""Reconciliation: the stock every product must have by the plan and the answers, and has."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from fusebox.replay.plan import ReplayPlan

PENDING, CONFIRMED = "PENDING", "CONFIRMED"


@dataclass(frozen=True)
class Difference:
    """`actual` is None when the shop does not know the product."""

    product: str
    expected: int
    actual: int | None


def expected_stocks(
    plan: ReplayPlan, accepted: Mapping[int, str], statuses: Mapping[str, str]
) -> dict[str, int]:
    """By code: the first stock without what was confirmed; anything else has taken nothing."""
    sold = Counter[str]()
    for order in plan.orders:
        if statuses.get(accepted.get(order.number, "")) == CONFIRMED:
            sold.update(order.quantities)
    return {code: product.stock - sold[code] for code, product in plan.products.items()}


def differences(expected: Mapping[str, int], actual: Mapping[str, int]) -> list[Difference]:
    return [
        Difference(product, stock, actual.get(product))
        for product, stock in expected.items()
        if actual.get(product) != stock
    ]


def lost(accepted: Mapping[int, str], statuses: Collection[str]) -> list[str]:
    """Orders that were accepted and are not there."""
    return sorted(set(accepted.values()).difference(statuses))


def doubled(accepted: Mapping[int, str], statuses: Collection[str]) -> list[str]:
    """Orders of our customers that no answer named: the second effect of one request."""
    return sorted(set(statuses).difference(accepted.values()))

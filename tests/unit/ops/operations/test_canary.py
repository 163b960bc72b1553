"""A canary comes beside what is there, gets its share, and goes without a trace."""

from collections.abc import Mapping

import pytest

from fusebox.core.errors import Fault
from fusebox.core.stack import Stack
from fusebox.core.topology import part_named
from fusebox.operations import canary, instances
from fusebox.operations.configuration import settings
from fusebox.state import canary_mark

from ..fake_supervisor import ShopWithFakes, Verb

CATALOG = part_named("catalog-service")
CANARY = "catalog-service-2"
PREFIX = "fusebox.gateway.canaries.catalog-service."


class ShopWithCanaries(ShopWithFakes):
    """With one catalog-service, and a gateway that takes every word but `moon`."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, stack: Stack) -> None:
        super().__init__(monkeypatch, stack)
        self.keys: dict[str, str] = {}
        monkeypatch.setattr(settings, "set_keys", self._set)
        self.supervisor = self.with_("catalog-service-1")

    def _set(self, _: Stack, values: Mapping[str, str | None], service: str | None) -> None:
        assert service == "gateway"
        if "moon" in values.values():
            raise Fault("gateway-1 says: unknown")
        kept = {**self.keys, **values}
        self.keys = {key: value for key, value in kept.items() if value is not None}

    def said(self, key: str) -> str | None:
        return self.keys.get(PREFIX + key)

    def shift(self, weight: int, sticky: str | None = None) -> str:
        return " ".join(canary.shift(self.stack, "catalog-service", weight, sticky=sticky))


@pytest.fixture
def shop(monkeypatch: pytest.MonkeyPatch, stack: Stack) -> ShopWithCanaries:
    stack.make_folders()
    return ShopWithCanaries(monkeypatch, stack)


def test_the_first_shift_begins_one_more_and_the_next_only_shifts(shop: ShopWithCanaries) -> None:
    text = shop.shift(10, sticky="user")

    assert f"{CANARY} runs beside catalog-service-1" in text
    assert "WEIGHT=50" in text
    assert shop.supervisor.asked == [f"add {CANARY}", f"start {CANARY}"]

    assert "WEIGHT=100" in shop.shift(60)
    assert len(shop.supervisor.asked) == 2
    assert (shop.said("weight"), shop.said("sticky")) == ("60", "user")


def test_its_end_takes_back_what_was_set_and_drains_it(shop: ShopWithCanaries) -> None:
    shop.shift(10, sticky="user")

    assert f"{CANARY} has ended" in shop.shift(0)
    assert shop.keys == {}
    assert CANARY not in shop.supervisor.known
    assert shop.forgotten == [CANARY]
    assert shop.shift(0) == "catalog-service has no canary."


def test_a_canary_that_was_killed_is_brought_back(shop: ShopWithCanaries) -> None:
    shop.shift(10)
    instances.kill(shop.stack, "catalog-service", 2)

    shop.shift(20)

    assert shop.supervisor.known[CANARY].is_running


def test_one_that_does_not_start_is_taken_away(shop: ShopWithCanaries) -> None:
    shop.supervisor.refuses_to_start = {CANARY}
    with pytest.raises(Fault, match="does not start"):
        shop.shift(10)

    assert CANARY not in shop.supervisor.known
    assert shop.keys == {}


def test_a_word_that_the_gateway_refuses_ends_only_one_that_was_begun_for_it(
    shop: ShopWithCanaries,
) -> None:
    with pytest.raises(Fault, match="unknown"):
        shop.shift(10, sticky="moon")
    assert CANARY not in shop.supervisor.known

    shop.shift(10)
    with pytest.raises(Fault, match="unknown"):
        shop.shift(20, sticky="moon")
    assert shop.supervisor.known[CANARY].is_running
    assert shop.said("weight") == "10"


def test_meanwhile_its_service_is_neither_scaled_nor_rolled(shop: ShopWithCanaries) -> None:
    shop.shift(10)

    verbs: list[Verb] = [
        lambda: instances.scale(shop.stack, "catalog-service", 1),
        lambda: instances.roll(shop.stack, "catalog-service"),
    ]
    for verb in verbs:
        with pytest.raises(Fault, match=f"{CANARY} is a canary") as refusal:
            verb()
        assert "WEIGHT=0" in refusal.value.remedy


def test_a_shop_that_comes_up_knows_no_canary_of_before(shop: ShopWithCanaries) -> None:
    shop.shift(10)
    file = shop.stack.config / "gateway.properties"
    file.write_text(f"{PREFIX}max-error-share=0.5\n{PREFIX}weight=10\n")

    canary_mark.forget(shop.stack)
    canary_mark.forget_shares(shop.stack)

    assert canary_mark.canary(shop.stack, CATALOG, [CANARY]) is None
    assert file.read_text() == f"{PREFIX}max-error-share=0.5\n"


@pytest.mark.parametrize("weight", [-1, 101])
def test_what_is_no_share_is_refused(shop: ShopWithCanaries, weight: int) -> None:
    with pytest.raises(Fault, match="no share") as refusal:
        shop.shift(weight)

    assert refusal.value.exit_code == 2

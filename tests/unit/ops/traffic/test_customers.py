"""A steady customer: what it does, what it counts, and that it gives back what it ordered."""

import time
from collections.abc import Callable, Iterator

import pytest

from fusebox.core.wait import wait_until
from fusebox.runtime.shop_client import PASSWORD, ShopClient
from fusebox.traffic.customers import VISIT, CustomerLoad, SteadyCustomer
from fusebox.traffic.tally import Tally

from ..fake_shop import NO_ANSWER, FakeAnswer, FakeShop

PRODUCT = "CATALOG-0001"


@pytest.fixture
def fake_shop() -> Iterator[FakeShop]:
    with FakeShop.opened(stocks={PRODUCT: 3}) as shop:
        yield shop


def customer(fake_shop: FakeShop) -> SteadyCustomer:
    shop = ShopClient(fake_shop.gateway)
    account = shop.customer("ann@fusebox.example")
    return SteadyCustomer(account, [PRODUCT], lambda: shop.login("ann@fusebox.example", PASSWORD))


def test_after_every_visit_the_stock_is_what_it_was(fake_shop: FakeShop) -> None:
    one = customer(fake_shop)

    answers = [one.act() for _ in range(5 * len(VISIT))]
    one.leave()

    assert not [answer for answer in answers if answer.failure or answer.degraded]
    assert len(fake_shop.orders) == 5
    assert fake_shop.stocks == {PRODUCT: 3}


def test_out_of_stock_is_an_answer_and_no_failure(fake_shop: FakeShop) -> None:
    fake_shop.stocks[PRODUCT] = 0
    one = customer(fake_shop)

    assert not [answer for answer in (one.act() for _ in VISIT) if answer.failure]


def test_a_token_that_is_over_is_renewed(fake_shop: FakeShop) -> None:
    one = customer(fake_shop)
    fake_shop.tokens.clear()

    assert not [answer for answer in (one.act() for _ in VISIT) if answer.failure]


@pytest.mark.parametrize(
    ("answer", "failure"),
    [
        ((503, {"code": "circuit-open"}), "503 circuit-open"),
        ((502, ["no", "problem"]), "502"),
        (NO_ANSWER, "no-answer"),
    ],
)
def test_an_error_and_no_answer_are_failures_by_their_names(
    fake_shop: FakeShop, answer: FakeAnswer, failure: str
) -> None:
    one = customer(fake_shop)
    fake_shop.trouble = lambda *_: answer

    assert {one.act().failure for _ in VISIT} == {failure}


def test_what_is_degraded_is_counted_so(fake_shop: FakeShop) -> None:
    def trouble(_method: str, path: str, effect: Callable[[], FakeAnswer]) -> FakeAnswer:
        status, document = effect()
        is_order = path.endswith("/orders") and isinstance(document, dict)
        return status, {**document, "degraded": ["catalog-service"]} if is_order else document

    one = customer(fake_shop)
    fake_shop.trouble = trouble

    assert [one.act().degraded for _ in VISIT].count(True) == 1


def test_the_load_keeps_to_its_rate_and_gives_everything_back(fake_shop: FakeShop) -> None:
    tally = Tally()
    rate = 60
    load = CustomerLoad([customer(fake_shop) for _ in range(2)], rate, tally)

    began = time.monotonic()
    load.start()
    # A busy machine takes longer for as many, and has fewer a second.
    wait_until(lambda: tally.ok >= 15, 10, "fifteen requests")
    load.stop(5)

    assert 15 <= tally.ok <= rate * (time.monotonic() - began) + 2
    assert not tally.failures
    assert fake_shop.stocks == {PRODUCT: 3}

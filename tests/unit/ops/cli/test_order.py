"""The verb `order`: what it prints of each order, and how it ends."""

import json
from collections.abc import Callable, Iterator

import pytest
from click.testing import CliRunner, Result

from fusebox.cli.main import cli
from fusebox.core.errors import Fault
from fusebox.core.stack import Stack

from ..fake_shop import NO_ANSWER, TRACE_URL, FakeAnswer, FakeShop

PRODUCT = "CATALOG-0001"
Trouble = Callable[[str, str, Callable[[], FakeAnswer]], FakeAnswer]


@pytest.fixture
def fake_shop(monkeypatch: pytest.MonkeyPatch, stack: Stack) -> Iterator[FakeShop]:
    with FakeShop.opened(stocks={PRODUCT: 3}) as shop:
        port = int(shop.gateway.rpartition(":")[2])
        monkeypatch.setenv("FUSEBOX_HOME", str(stack.home))
        monkeypatch.setattr(Stack, "port", lambda _self, _name: port)
        yield shop


def order(*options: str) -> Result:
    return CliRunner().invoke(cli, ["order", *options])


def answering(answer: FakeAnswer, path_part: str) -> Trouble:
    """A trouble that gives `answer` to every request whose path has `path_part`."""

    def trouble(_method: str, path: str, effect: Callable[[], FakeAnswer]) -> FakeAnswer:
        return answer if path_part in path else effect()

    return trouble


def test_a_new_customer_orders_and_sees_status_time_and_trace(fake_shop: FakeShop) -> None:
    done = order()

    assert done.exit_code == 0, done.output
    first, trace = done.stdout.splitlines()
    assert first.startswith("Order 1: CONFIRMED after ")
    assert first.endswith(" ms")
    assert trace == f"  trace: {TRACE_URL}"
    assert "\x1b[" not in done.stdout
    assert fake_shop.stocks == {PRODUCT: 2}
    assert [path for _, path in fake_shop.requests[:2]] == [
        "/user-service/users",
        "/user-service/login",
    ]


def test_several_orders_are_placed_and_counted(fake_shop: FakeShop) -> None:
    done = order("-n", "3", "--wait", "0")

    assert done.exit_code == 0
    assert done.stdout.count("PENDING") == 3
    assert done.stdout.endswith("3 of 3 orders were accepted.\n")
    assert fake_shop.stocks == {PRODUCT: 0}


def test_an_order_that_is_refused_is_told_with_code_and_detail(fake_shop: FakeShop) -> None:
    sold_out, unknown = order("--qty", "4"), order("--product", "CATALOG-9999")

    assert (sold_out.exit_code, unknown.exit_code) == (1, 1)
    assert "refused after " in sold_out.stdout
    assert "out-of-stock: Not enough stock." in sold_out.stdout
    assert "product-unknown: There is no such product." in unknown.stdout
    assert TRACE_URL in unknown.stdout


def test_one_refusal_among_several_is_enough_to_fail(fake_shop: FakeShop) -> None:
    done = order("-n", "2", "--qty", "2")

    assert done.exit_code == 1
    assert done.stdout.endswith("1 of 2 orders were accepted.\n")
    assert fake_shop.stocks == {PRODUCT: 1}


def test_a_degraded_order_names_the_service_that_was_away(fake_shop: FakeShop) -> None:
    accepted = {"orderId": "1", "status": "PENDING", "degraded": ["catalog-service"]}
    fake_shop.trouble = answering((201, accepted), "/orders")

    done = order()

    assert done.exit_code == 0
    assert "Order 1: PENDING after " in done.stdout
    assert "ms, degraded: catalog-service\n" in done.stdout
    assert "last known price and stock" in done.stdout


def test_an_answer_that_is_lost_is_told_as_such(fake_shop: FakeShop) -> None:
    fake_shop.trouble = answering(NO_ANSWER, "/orders")

    done = order()

    assert done.exit_code == 1
    assert "no-answer: The gateway gave no answer (ConnectionError)." in done.stdout


def test_an_answer_that_is_no_problem_document_is_told_by_its_status(fake_shop: FakeShop) -> None:
    fake_shop.trouble = answering((502, "oops"), "/orders")

    done = order()

    assert done.exit_code == 1
    assert "unknown: Bad Gateway" in done.stdout


def test_a_program_reads_one_document_for_each_order(fake_shop: FakeShop) -> None:
    done = order("-n", "2", "--qty", "2", "--json")

    accepted, refused = json.loads(done.stdout)
    assert done.exit_code == 1
    assert accepted["milliseconds"] > 0
    assert {**accepted, "milliseconds": 0} == {
        "accepted": True,
        "httpStatus": 201,
        "orderId": "0",
        "status": "CONFIRMED",
        "code": "",
        "detail": "",
        "degraded": [],
        "milliseconds": 0,
        "traceUrl": TRACE_URL,
    }
    assert (refused["accepted"], refused["code"]) == (False, "out-of-stock")


def test_when_the_shop_is_down_it_says_how_to_start_it(
    monkeypatch: pytest.MonkeyPatch, fake_shop: FakeShop
) -> None:
    monkeypatch.setattr(Stack, "port", lambda _self, _name: 1)

    failure = order().exception

    assert isinstance(failure, Fault)
    assert failure.exit_code == 1
    assert failure.what == "the shop is not running"
    assert "`make up` starts the shop" in failure.remedy


def test_when_nobody_can_log_in_it_says_why_and_what_to_start(fake_shop: FakeShop) -> None:
    problem = {"code": "service-unavailable", "detail": "user-service does not answer."}
    fake_shop.trouble = answering((503, problem), "/user-service")

    failure = order().exception

    assert isinstance(failure, Fault)
    assert "service-unavailable: user-service does not answer." in failure.what
    assert TRACE_URL in failure.where
    assert "make start SERVICE=user-service" in failure.remedy


@pytest.mark.parametrize("given", [["-n", "0"], ["--qty", "0"], ["--wait", "9"], ["surplus"]])
def test_what_makes_no_sense_is_refused_before_anything_is_asked(
    fake_shop: FakeShop, given: list[str]
) -> None:
    assert order(*given).exit_code == 2
    assert fake_shop.requests == []

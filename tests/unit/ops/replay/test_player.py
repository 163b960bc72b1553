"""A whole replay against a fake shop: failures along the way have no second effect."""

import threading
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

import pytest

from fusebox.core.errors import Fault
from fusebox.core.progress import PlainDisplay
from fusebox.replay.input import synthetic
from fusebox.replay.input.lines import Ledger, parse_lines
from fusebox.replay.input.rows import CsvRow
from fusebox.replay.outcome import order_outcomes, summary
from fusebox.replay.outcome.report import Report
from fusebox.replay.plan import ReplayPlan, make_plan
from fusebox.replay.run import retry_policy
from fusebox.replay.run.client import ReplayAccount, ReplayClient
from fusebox.replay.run.player import Player, ReplayClock
from fusebox.replay.run.retry_policy import ReplayStopped, RetryPolicy
from fusebox.replay.run.runner import ReplayRunner
from fusebox.replay.run.worker_pool import WorkerPool

from ..fake_shop import (
    NO_ANSWER,
    FakeAnswer,
    FakeShop,
    Troubles,
)

Trouble = Callable[[str, str, Callable[[], FakeAnswer]], FakeAnswer]


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retry_policy, "FIRST_PAUSE", 0.001)
    monkeypatch.setattr(retry_policy, "LONGEST_PAUSE", 0.01)
    monkeypatch.setattr(order_outcomes, "PAUSE_SECONDS", 0.001)
    monkeypatch.setattr(order_outcomes, "SETTLE_SECONDS", 0.1)
    monkeypatch.setattr(order_outcomes, "RETRY_SECONDS", 0.1)


def planned(rows: Iterable[CsvRow]) -> tuple[ReplayPlan, Ledger]:
    ledger = Ledger()
    return make_plan(parse_lines(rows, ledger), ledger), ledger


def replayed(shop: FakeShop, rows: Iterable[CsvRow], seconds: float = 10.0) -> Report:
    plan, ledger = planned(rows)
    accounts = {
        customer: ReplayAccount(f"{customer}@fusebox.example", "secret")
        for customer in plan.customers
    }
    player = Player("test", accounts, ReplayAccount("admin@fusebox.example", "secret"))
    policy = RetryPolicy(seconds)
    with WorkerPool(shop.gateway, 4, policy) as workers:
        outcome = ReplayRunner(plan, player, workers, policy, PlainDisplay()).run(4, 0)
    return summary.of("a test", ledger, plan, player, outcome, policy.retried)


def test_a_replay_reconciles_and_its_figures_add_up() -> None:
    with FakeShop.opened() as shop:
        report = replayed(shop, synthetic.rows(100))

    orders, lines = report.orders, report.lines
    assert report.reconciled, report.text()
    assert orders.wanted == orders.placed + orders.refused
    assert orders.placed == orders.confirmed + orders.rejected + orders.cancelled
    assert orders.placed == len(shop.orders)
    assert orders.refused > 0, "nothing was sold out, so the last piece was not at stake"
    assert orders.cancelled == report.cancellations.accepted > 0
    assert lines.read == lines.played + sum(lines.left_out.values())
    assert report.stocks.actual == sum(shop.stocks.values())
    assert report.pace.retried == 0


def test_lost_answers_and_transient_refusals_place_no_order_twice() -> None:
    troubles = Troubles()
    with FakeShop.opened(trouble=troubles) as shop:
        report = replayed(shop, synthetic.rows(100))

    assert min(troubles.met[turn] for turn in (0, 3, 6)) > 10
    assert report.pace.retried > 15
    assert report.reconciled, report.text()
    assert len(shop.orders) == report.orders.placed


def test_an_order_that_the_shop_places_twice_is_reported() -> None:
    with FakeShop.opened(trouble=Troubles()) as shop:
        shop.settled = ForgottenKeys()
        report = replayed(shop, synthetic.rows(100))

    assert not report.reconciled
    assert report.orders.doubled
    assert report.stocks.differences


class ForgottenKeys(dict[tuple[str, str], FakeAnswer]):
    """Idempotency keys that are not kept."""

    def __setitem__(self, key: tuple[str, str], answer: FakeAnswer) -> None:
        pass


def test_a_single_missing_piece_of_stock_is_reported() -> None:
    stolen: list[int] = []

    def thief(method: str, path: str, effect: Callable[[], FakeAnswer]) -> FakeAnswer:
        if method == "GET" and "/catalogs" in path and not stolen:
            shop.stocks["RPL-test-10003"] -= 1
            stolen.append(1)
        return effect()

    with FakeShop.opened(trouble=thief) as shop:
        report = replayed(shop, synthetic.rows(50))
        robbed = shop.stocks["RPL-test-10003"]

    assert [difference.product for difference in report.stocks.differences] == ["10003"]
    assert f"10003 has {robbed}, expected {robbed + 1}" in report.text()
    assert report.text().endswith("NOT reconciled.")


def test_an_accepted_order_that_is_gone_is_reported() -> None:
    def forgetting(method: str, path: str, effect: Callable[[], FakeAnswer]) -> FakeAnswer:
        if method == "GET":
            shop.orders.pop("0", None)
        return effect()

    with FakeShop.opened(trouble=forgetting) as shop:
        report = replayed(shop, synthetic.rows(20))

    assert report.orders.lost == ["0"]
    assert "1 orders were accepted and are gone: 0" in report.text()


def test_an_order_that_is_never_decided_is_reported_after_a_limited_wait() -> None:
    def undecided(method: str, path: str, effect: Callable[[], FakeAnswer]) -> FakeAnswer:
        if method == "GET" and shop.orders:
            shop.orders["0"]["status"] = "PENDING"
        return effect()

    with FakeShop.opened(trouble=undecided) as shop:
        report = replayed(shop, synthetic.rows(20))

    assert report.orders.undecided == 1
    assert not report.reconciled


def test_a_token_that_has_run_out_is_renewed() -> None:
    seen: list[str] = []

    def expiring(method: str, path: str, effect: Callable[[], FakeAnswer]) -> FakeAnswer:
        seen.append(path)
        if len(seen) == 70:
            shop.tokens.clear()
        return effect()

    with FakeShop.opened(trouble=expiring) as shop:
        report = replayed(shop, synthetic.rows(100))

    logins = [path for _, path in shop.requests if path == "/user-service/login"]
    assert len(logins) > report.customers + 1
    assert report.reconciled, report.text()


def test_a_shop_that_stops_answering_ends_the_replay_with_the_reason() -> None:
    def away(method: str, path: str, effect: Callable[[], FakeAnswer]) -> FakeAnswer:
        return (503, {"code": "circuit-open"}) if "/orders" in path else effect()

    with FakeShop.opened(trouble=away) as shop, pytest.raises(Fault) as given_up:
        replayed(shop, synthetic.rows(20), seconds=0.2)

    text = "\n".join(given_up.value.lines())
    assert "the shop stopped answering: POST /order-service/" in text
    assert "503 circuit-open" in text
    assert "make status" in text


def test_an_answer_outside_the_contract_ends_the_replay_with_its_code() -> None:
    def odd(method: str, path: str, effect: Callable[[], FakeAnswer]) -> FakeAnswer:
        return (418, {"code": "teapot"}) if "/orders" in path else effect()

    with FakeShop.opened(trouble=odd) as shop, pytest.raises(Fault, match="418 teapot"):
        replayed(shop, synthetic.rows(20))


@pytest.mark.parametrize(
    "trouble", [(409, {"code": "idempotency-in-progress"}), (429, {}), (504, {}), NO_ANSWER]
)
def test_a_request_that_fails_transiently_is_repeated(trouble: FakeAnswer) -> None:
    troubles = [trouble, trouble]

    def once(method: str, path: str, effect: Callable[[], FakeAnswer]) -> FakeAnswer:
        return troubles.pop() if troubles else effect()

    policy = RetryPolicy()
    with FakeShop.opened(trouble=once) as shop:
        client = ReplayClient(shop.gateway, policy)
        answer = client.request("GET", "/actuator/health")
        client.close()

    assert answer.status_code == 200
    assert policy.retried == 2


def test_workers_that_wait_are_stopped_by_the_first_that_fails() -> None:
    policy = RetryPolicy()

    def action(client: ReplayClient, item: int) -> None:
        if item == 0:
            raise Fault("this one")
        policy.sleep(60)

    with pytest.raises(Fault, match="this one"), WorkerPool("http://unused", 4, policy) as workers:
        workers.run_all(range(20), action)


def test_the_clock_runs_as_many_times_faster_as_the_speed_says() -> None:
    policy = RecordingRetryPolicy()
    clock = ReplayClock(datetime(2011, 1, 3, 9), 3600, policy)

    clock.wait_for(datetime(2011, 1, 3, 19))

    assert policy.slept == [pytest.approx(10, abs=1)]


def test_with_speed_0_nobody_waits() -> None:
    policy = RecordingRetryPolicy()

    ReplayClock(datetime(2011, 1, 3, 9), 0, policy).wait_for(datetime(2011, 12, 24))

    assert policy.slept[0] <= 0


class RecordingRetryPolicy(RetryPolicy):
    """A retry_policy that records instead of sleeping."""

    def __init__(self) -> None:
        super().__init__()
        self.slept: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)


def test_a_waiting_worker_stops_at_once_when_the_replay_is_over() -> None:
    policy = RetryPolicy()
    threading.Timer(0.01, policy.stop.set).start()

    with pytest.raises(ReplayStopped):
        policy.sleep(60)


def test_the_percentile_is_a_value_that_was_measured() -> None:
    values: list[Any] = list(range(1, 101))

    assert [summary.percentile(values, share) for share in (50, 99, 100)] == [50, 99, 100]
    assert summary.percentile([7.0], 99) == 7.0
    assert summary.percentile([], 50) == 0

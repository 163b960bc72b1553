"""A whole replay against a shop of the test's own: what goes wrong has no second effect."""

import threading
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

import pytest

from fusebox.core.errors import Fault
from fusebox.core.progress import PlainDisplay
from fusebox.replay.input import synthetic
from fusebox.replay.input.lines import Ledger, gather
from fusebox.replay.input.rows import Row
from fusebox.replay.outcome import order_outcomes, summary
from fusebox.replay.outcome.report import Report
from fusebox.replay.plan import Script, write
from fusebox.replay.run import retry_policy
from fusebox.replay.run.client import Account, Hand
from fusebox.replay.run.player import Clock, Play
from fusebox.replay.run.retry_policy import Patience, Stopped
from fusebox.replay.run.runner import Performance
from fusebox.replay.run.worker_pool import Crew

from ..fake_shop import (
    NO_ANSWER,
    Answer,
    FakeShop,
    Troubles,
)

Trouble = Callable[[str, str, Callable[[], Answer]], Answer]


@pytest.fixture(autouse=True)
def _in_haste(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retry_policy, "FIRST_PAUSE", 0.001)
    monkeypatch.setattr(retry_policy, "LONGEST_PAUSE", 0.01)
    monkeypatch.setattr(order_outcomes, "PAUSE_SECONDS", 0.001)
    monkeypatch.setattr(order_outcomes, "SETTLE_SECONDS", 0.1)
    monkeypatch.setattr(order_outcomes, "PATIENCE_SECONDS", 0.1)


def scripted(rows: Iterable[Row]) -> tuple[Script, Ledger]:
    ledger = Ledger()
    return write(gather(rows, ledger), ledger), ledger


def played(shop: FakeShop, rows: Iterable[Row], seconds: float = 10.0) -> Report:
    script, ledger = scripted(rows)
    accounts = {each: Account(f"{each}@fusebox.example", "secret") for each in script.customers}
    play = Play("test", accounts, Account("admin@fusebox.example", "secret"))
    patient = Patience(seconds)
    with Crew(shop.gateway, 4, patient) as crew:
        outcome = Performance(script, play, crew, patient, PlainDisplay()).run(4, 0)
    return summary.of("a test", ledger, script, play, outcome, patient.retried)


def test_a_replay_reconciles_and_its_figures_add_up() -> None:
    with FakeShop.opened() as shop:
        report = played(shop, synthetic.rows(100))

    orders, lines = report.orders, report.lines
    assert report.reconciled, report.text()
    assert orders.wanted == orders.placed + orders.refused
    assert orders.placed == orders.confirmed + orders.rejected + orders.cancelled
    assert orders.placed == len(shop.orders)
    assert orders.refused > 0, "nothing was sold out, so the last piece was not at stake"
    assert orders.cancelled == report.cancellations.accepted > 0
    assert lines.read == lines.played + sum(lines.left_out.values())
    assert report.stocks.found == sum(shop.stocks.values())
    assert report.pace.retried == 0


def test_lost_answers_and_refusals_for_now_double_nothing() -> None:
    troubles = Troubles()
    with FakeShop.opened(trouble=troubles) as shop:
        report = played(shop, synthetic.rows(100))

    assert min(troubles.met[turn] for turn in (0, 3, 6)) > 10
    assert report.pace.retried > 15
    assert report.reconciled, report.text()
    assert len(shop.orders) == report.orders.placed


def test_a_shop_that_doubles_an_order_is_found_out() -> None:
    with FakeShop.opened(trouble=Troubles()) as shop:
        shop.settled = Forgetful()
        report = played(shop, synthetic.rows(100))

    assert not report.reconciled
    assert report.orders.doubled
    assert report.stocks.differences


class Forgetful(dict[tuple[str, str], Answer]):
    """Idempotency keys that are not kept."""

    def __setitem__(self, key: tuple[str, str], answer: Answer) -> None:
        pass


def test_a_single_piece_that_is_gone_is_found_out() -> None:
    stolen: list[int] = []

    def thief(method: str, path: str, effect: Callable[[], Answer]) -> Answer:
        if method == "GET" and "/catalogs" in path and not stolen:
            shop.stocks["RPL-test-10003"] -= 1
            stolen.append(1)
        return effect()

    with FakeShop.opened(trouble=thief) as shop:
        report = played(shop, synthetic.rows(50))
        robbed = shop.stocks["RPL-test-10003"]

    assert [each.product for each in report.stocks.differences] == ["10003"]
    assert f"10003 has {robbed}, expected {robbed + 1}" in report.text()
    assert report.text().endswith("NOT reconciled.")


def test_an_accepted_order_that_is_gone_is_found_out() -> None:
    def forgetting(method: str, path: str, effect: Callable[[], Answer]) -> Answer:
        if method == "GET":
            shop.orders.pop("0", None)
        return effect()

    with FakeShop.opened(trouble=forgetting) as shop:
        report = played(shop, synthetic.rows(20))

    assert report.orders.lost == ["0"]
    assert "1 orders were accepted and are gone: 0" in report.text()


def test_an_order_that_is_never_decided_is_told_and_not_waited_for_without_end() -> None:
    def undecided(method: str, path: str, effect: Callable[[], Answer]) -> Answer:
        if method == "GET" and shop.orders:
            shop.orders["0"]["status"] = "PENDING"
        return effect()

    with FakeShop.opened(trouble=undecided) as shop:
        report = played(shop, synthetic.rows(20))

    assert report.orders.undecided == 1
    assert not report.reconciled


def test_a_token_that_has_run_out_is_renewed() -> None:
    seen: list[str] = []

    def expiring(method: str, path: str, effect: Callable[[], Answer]) -> Answer:
        seen.append(path)
        if len(seen) == 70:
            shop.tokens.clear()
        return effect()

    with FakeShop.opened(trouble=expiring) as shop:
        report = played(shop, synthetic.rows(100))

    logins = [path for _, path in shop.heard if path == "/user-service/login"]
    assert len(logins) > report.customers + 1
    assert report.reconciled, report.text()


def test_a_shop_that_stays_away_is_given_up_in_words() -> None:
    def away(method: str, path: str, effect: Callable[[], Answer]) -> Answer:
        return (503, {"code": "circuit-open"}) if "/orders" in path else effect()

    with FakeShop.opened(trouble=away) as shop, pytest.raises(Fault) as given_up:
        played(shop, synthetic.rows(20), seconds=0.2)

    told = "\n".join(given_up.value.lines())
    assert "the shop stays away: POST /order-service/" in told
    assert "503 circuit-open" in told
    assert "make status" in told


def test_an_answer_outside_the_contract_ends_the_replay_with_its_name() -> None:
    def odd(method: str, path: str, effect: Callable[[], Answer]) -> Answer:
        return (418, {"code": "teapot"}) if "/orders" in path else effect()

    with FakeShop.opened(trouble=odd) as shop, pytest.raises(Fault, match="418 teapot"):
        played(shop, synthetic.rows(20))


@pytest.mark.parametrize(
    "trouble", [(409, {"code": "idempotency-in-progress"}), (429, {}), (504, {}), NO_ANSWER]
)
def test_what_may_pass_is_asked_again(trouble: Answer) -> None:
    troubles = [trouble, trouble]

    def once(method: str, path: str, effect: Callable[[], Answer]) -> Answer:
        return troubles.pop() if troubles else effect()

    patient = Patience()
    with FakeShop.opened(trouble=once) as shop:
        hand = Hand(shop.gateway, patient)
        answer = hand.ask("GET", "/actuator/health")
        hand.close()

    assert answer.status_code == 200
    assert patient.retried == 2


def test_hands_that_wait_are_stopped_by_the_first_that_fails() -> None:
    patient = Patience()

    def act(hand: Hand, item: int) -> None:
        if item == 0:
            raise Fault("this one")
        patient.sleep(60)

    with pytest.raises(Fault, match="this one"), Crew("http://unused", 4, patient) as crew:
        crew.each(range(20), act)


def test_the_clock_runs_so_many_times_as_fast_as_the_files() -> None:
    patient = Slept()
    clock = Clock(datetime(2011, 1, 3, 9), 3600, patient)

    clock.wait_for(datetime(2011, 1, 3, 19))

    assert patient.slept == [pytest.approx(10, abs=1)]


def test_without_a_speed_nobody_waits() -> None:
    patient = Slept()

    Clock(datetime(2011, 1, 3, 9), 0, patient).wait_for(datetime(2011, 12, 24))

    assert patient.slept[0] <= 0


class Slept(Patience):
    """A patience that writes down instead of sleeping."""

    def __init__(self) -> None:
        super().__init__()
        self.slept: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)


def test_patience_ends_at_once_when_all_is_over() -> None:
    patient = Patience()
    threading.Timer(0.01, patient.stop.set).start()

    with pytest.raises(Stopped):
        patient.sleep(60)


def test_the_percentile_is_a_value_that_was_measured() -> None:
    values: list[Any] = list(range(1, 101))

    assert [summary.percentile(values, share) for share in (50, 99, 100)] == [50, 99, 100]
    assert summary.percentile([7.0], 99) == 7.0
    assert summary.percentile([], 50) == 0

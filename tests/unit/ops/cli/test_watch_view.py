"""What `watch` shows of the panel's state: a screen, or a line for each news."""

import copy
import io
from typing import Any

from rich.console import Console

from fusebox.cli.watch_view import news, screen, summary

STATE: dict[str, Any] = {
    "at": "2026-11-28T11:12:42.810Z",
    "parts": [
        {
            "name": "order-service",
            "state": "degraded",
            "reason": "order-service-2: takes no connections",
            "traffic": {"rate": 12.34, "errors": 0.02, "p99": 0.034},
            "instances": [{"id": "order-service-1"}, {"id": "order-service-2"}],
            "outbox": {"rows": 3, "oldest": 4.2},
            "consumers": [{"topic": "catalog", "group": "order-service", "lag": 7}],
            "topics": [],
        },
        {
            "name": "kafka",
            "state": "up",
            "reason": None,
            "traffic": {"rate": None, "errors": None, "p99": None},
            "instances": [{"id": "kafka-1"}],
            "outbox": None,
            "consumers": [],
            "topics": [{"name": "orders", "rate": 1.0, "dead": 2}],
        },
    ],
    "arrows": [{"from": "client", "to": "gateway", "rate": 5.0}],
    "breakers": [
        {
            "owner": "order-service-1",
            "name": "catalog-service",
            "state": "OPEN",
            "failures": 5,
            "failMax": 5,
            "nextTrialIn": 7.3,
        }
    ],
    "faults": [{"text": "catalog-service-1 was killed"}],
    "orders": [
        {
            "orderId": "o-1",
            "status": "PENDING",
            "degraded": True,
            "placedAt": "2026-11-28T11:12:42.8Z",
        }
    ],
    "invariants": [{"name": "no stock below zero", "holds": True}],
    "history": [
        {
            "at": "2026-11-28T11:12:41Z",
            "subject": "catalog-service-1",
            "text": "[red]killed[/red] on purpose",
        }
    ],
}


def printed(state: dict[str, Any]) -> str:
    out = io.StringIO()
    Console(file=out, width=200, highlight=False).print(screen(state))
    return out.getvalue()


def test_the_screen_has_the_essentials() -> None:
    text = printed(STATE)

    for words in (
        "order-service",
        "12.3",
        "2 %",
        "34 ms",
        "outbox 3 rows, 4 s",
        "7 behind in catalog",
        "2 dead letters of orders",
        "order-service-1 → catalog-service OPEN, 5 of 5 failures in a row, next trial in 7 s",
        "catalog-service-1 was killed",
        "o-1 PENDING, degraded",
        "✓ no stock below zero",
        "11:12:41  catalog-service-1: [red]killed[/red] on purpose",
    ):
        assert words in text


def test_a_shop_in_which_nothing_is_wrong_shows_no_empty_headings() -> None:
    calm = {**STATE, "breakers": [], "faults": [], "orders": [], "invariants": [], "history": []}

    assert len(printed(calm).splitlines()) == 3


def test_the_first_line_says_how_the_shop_is() -> None:
    [line] = news(None, STATE)

    assert line == f"11:12:42  {summary(STATE)}"
    assert "order-service degraded" in line
    assert "order-service-1 -> catalog-service OPEN" in line
    assert "5.0 requests/s" in line


def test_each_news_is_a_line_and_comes_once() -> None:
    later = copy.deepcopy(STATE)
    later["history"].insert(
        0, {"at": "2026-11-28T11:12:50Z", "subject": "catalog-service-1", "text": "is there"}
    )
    later["orders"][0]["status"] = "CONFIRMED"

    assert list(news(STATE, later)) == [
        "11:12:50  catalog-service-1: is there",
        "11:12:42  order o-1 CONFIRMED, degraded",
    ]
    assert list(news(later, later)) == []


def test_an_order_is_news_when_it_was_placed_since() -> None:
    placed = {**STATE["orders"][0], "orderId": "o-2", "placedAt": "2026-11-28T11:13:00.1Z"}
    old = {**placed, "orderId": "o-0", "placedAt": "2026-11-28T09:00:00.1Z"}
    later = {**STATE, "orders": [placed, *STATE["orders"], old]}

    assert list(news(STATE, later)) == ["11:13:00  order o-2 PENDING, degraded"]

"""What an open page of the panel costs the shop, and how soon it shows an open breaker."""

import json
import threading
import time
from collections.abc import Iterator
from typing import Any

import requests

from bench import first_paint
from bench.harness.figures import difference, percentile
from bench.harness.report import megabytes, milliseconds, table
from bench.harness.stack_under_test import BenchError, RunningStack
from fusebox.core.topology import part_named
from fusebox.network import http
from fusebox.network.http import new_session
from fusebox.runtime import health
from fusebox.runtime.credentials import headers_for

OWNER, CALLED = "order-service", "catalog-service"
REST_SECONDS = 30.0
SETTLE_SECONDS = 12.0
TIMES = 20
PATIENCE_SECONDS = 10.0
PANEL = "panel-1"


class OpenPage:
    """What a page gets, in a thread of its own, until it is closed."""

    def __init__(self, running: RunningStack) -> None:
        self._url = f"{running.stack.url('panel')}/api/events"
        self._over = threading.Event()
        self._news = threading.Condition()
        self.state: dict[str, Any] = {}
        self._thread = threading.Thread(target=self._read, daemon=True)

    def __enter__(self) -> "OpenPage":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def await_breaker(self, state: str) -> None:
        def is_shown() -> bool:
            return any(
                (breaker["owner"], breaker["name"]) == (f"{OWNER}-1", CALLED)
                and breaker["state"] == state
                for breaker in self.state.get("breakers", ())
            )

        with self._news:
            if not self._news.wait_for(is_shown, PATIENCE_SECONDS):
                raise BenchError(f"no page has shown the breaker as {state}")

    def _read(self) -> None:
        with new_session() as session, session.get(self._url, stream=True, timeout=30) as stream:
            for state in states(stream):
                with self._news:
                    self.state = state
                    self._news.notify_all()
                if self._over.is_set():
                    return


def states(stream: requests.Response) -> Iterator[dict[str, Any]]:
    name = b""
    for line in stream.iter_lines():
        if line.startswith(b"event: "):
            name = line
        elif line.startswith(b"data: ") and name == b"event: state":
            yield json.loads(line.removeprefix(b"data: "))


def section(running: RunningStack) -> list[str]:
    closed = _at_rest(running)
    with OpenPage(running) as page:
        time.sleep(SETTLE_SECONDS)
        opened = _at_rest(running)
        latencies = [_shown_after(running, page) for _ in range(TIMES)]
        memory = running.memory()[PANEL]
    p50, p99 = (milliseconds(percentile(latencies, percent)) for percent in (50, 99))
    rows = [
        (
            "CPU of all processes, a page open and the shop at rest",
            f"{100 * (opened - closed):.1f} %",
        ),
        (f"a breaker opens → the page has it, p50 of {TIMES}", p50),
        (f"the same, p99 of {TIMES}", p99),
        ("memory of the panel (PSS)", megabytes(memory)),
        *_paint_rows(running),
    ]
    return [
        "## The panel's page",
        "",
        *table(("what", "figure"), rows),
        "",
        f"CPU is a share of one core, over {REST_SECONDS:.0f} s, beyond the "
        f"{100 * closed:.1f} % that the shop uses with no page open.",
    ]


def _paint_rows(running: RunningStack) -> list[tuple[str, str]]:
    seconds = first_paint.seconds(f"{running.stack.url('panel')}/")
    if seconds is None:
        return [("first paint", "no Chromium here")]
    painted, drawn = map(milliseconds, seconds)
    return [("first paint, from the cache", painted), ("the shop is drawn", drawn)]


def _at_rest(running: RunningStack) -> float:
    """The CPU seconds that all processes together use in a second."""
    before = running.cpu()
    time.sleep(REST_SECONDS)
    return sum(difference(before, running.cpu()).values()) / REST_SECONDS


def _shown_after(running: RunningStack, page: OpenPage) -> float:
    _update(running, "FORCE_OPEN")
    began = time.monotonic()
    page.await_breaker("FORCED_OPEN")
    seconds = time.monotonic() - began
    _update(running, "CLOSE")
    page.await_breaker("CLOSED")
    return seconds


def _update(running: RunningStack, state: str) -> None:
    at = health.registered(running.stack)[f"{OWNER}-1"]
    answer = http.post(
        f"{at.url}/actuator/circuitbreakers/{CALLED}",
        {"updateState": state},
        headers=headers_for(running.stack, part_named(OWNER)),
    )
    if not answer.ok:
        raise BenchError(f"{OWNER} answered {answer.status} to {state}")

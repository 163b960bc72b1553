"""What an outage costs its clients: from the kill to the open circuit breaker, and back again."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

import requests

from bench.harness.figures import percentile
from bench.harness.report import milliseconds, table
from bench.harness.stack_under_test import BenchError, RunningStack
from fusebox.network import http
from fusebox.runtime import health
from fusebox.runtime.shop_client import FRESH, Customer

CALLED, CALLER = "catalog-service", "order-service"
OPEN = "OPEN"
ASKED = 200
PATIENCE_SECONDS = 60.0
PAUSE = 0.02


@dataclass
class BreakerTimes:
    """Seconds since the kill, or since the first healthy answer of the restarted service."""

    opened: float = 0.0
    repaired: float = 0.0
    answers: int = 0
    honest: int = 0
    open_latencies: list[float] = field(default_factory=list)
    own_latencies: list[float] = field(default_factory=list)


def section(running: RunningStack) -> list[str]:
    outage = measure(running)
    added = percentile(outage.open_latencies, 50) - percentile(outage.own_latencies, 50)
    rows = [
        (f"{CALLED} killed → {CALLER}'s breaker open, one order after another", outage.opened),
        (f"{CALLED} started, first healthy answer → last degraded order", outage.repaired),
    ]
    return [
        "## An outage",
        "",
        *table(("from … to …", "time"), [(name, f"{took:.2f} s") for name, took in rows]),
        "",
        f"Of {outage.answers} orders that were placed until then {outage.honest} said `degraded`. "
        f"An open breaker at the gateway answers {milliseconds(max(added, 0))} later than the "
        f"gateway refuses an unknown address (p50 of {ASKED}, "
        f"{milliseconds(percentile(outage.open_latencies, 50))} against "
        f"{milliseconds(percentile(outage.own_latencies, 50))}).",
    ]


def measure(running: RunningStack) -> BreakerTimes:
    outage, customer = BreakerTimes(), running.shop.customer()
    running.verb("kill", CALLED)
    began = time.monotonic()
    while not _is_open(running):
        outage.answers += 1
        outage.honest += _is_degraded(customer)
        _check(began, "the breaker did not open")
    outage.opened = time.monotonic() - began
    _measure_open(running, outage)
    running.verb("start", CALLED)  # returns at the first healthy answer
    began = time.monotonic()
    while _is_degraded(customer):
        outage.repaired = time.monotonic() - began
        _check(began, "orders are still degraded")
        time.sleep(PAUSE)
    return outage


def _is_degraded(customer: Customer) -> bool:
    """Whether a new order says that it was checked without the called service."""
    answer = customer.place()
    if answer.status_code != requests.codes.created:
        raise BenchError(f"an order was answered {answer.status_code}: {answer.text}")
    return bool(answer.json().get("degraded"))


def _measure_open(running: RunningStack, outage: BreakerTimes) -> None:
    gateway = running.shop.gateway
    with requests.Session() as session:

        def ask(path: str) -> requests.Response:
            return session.get(gateway + path, headers=FRESH, timeout=15)

        while ask(f"/{CALLED}/catalogs").json()["code"] != "circuit-open":
            pass
        # By turns, so that whatever else the machine does hits both alike.
        for _ in range(ASKED):
            outage.open_latencies.append(_latency(lambda: ask(f"/{CALLED}/catalogs")))
            outage.own_latencies.append(_latency(lambda: ask("/nobody/here")))


def _latency(ask: Callable[[], object]) -> float:
    began = time.perf_counter()
    ask()
    return time.perf_counter() - began


def _is_open(running: RunningStack) -> bool:
    at = health.registered(running.stack)[f"{CALLER}-1"]
    page = http.get(f"{at.url}/actuator/circuitbreakers").json()
    state = page["circuitBreakers"].get(CALLED, {}).get("state") if isinstance(page, dict) else None
    return bool(state == OPEN)


def _check(began: float, complaint: str) -> None:
    if time.monotonic() - began > PATIENCE_SECONDS:
        raise BenchError(f"{complaint} within {PATIENCE_SECONDS:.0f} s")

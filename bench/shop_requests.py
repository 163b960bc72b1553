"""The loads that are put on the shop through its gateway."""

import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from bench.harness.figures import LoadResult, Measurement, difference
from bench.harness.load_generator import LoadPlan, RepeatedCall
from bench.harness.stack_under_test import BenchError, RunningStack
from fusebox.runtime.shop_client import FRESH

CONNECTIONS = 16
WARM_UP_SECONDS = 5.0
WARM_UP_COUNT = 10_000
SECONDS = 15.0
COUNT = 50_000
CATALOGS = "/catalog-service/catalogs"
PRODUCT = "CATALOG-0001"
STOCK = 10 * COUNT


def catalogs(running: RunningStack) -> Measurement:
    """From the service: the gateway would else give what it has kept."""
    call = RepeatedCall("GET", running.shop.gateway + CATALOGS, FRESH)
    return _measure(f"GET {CATALOGS}", running, [call] * CONNECTIONS, 200)


def kept_catalogs(running: RunningStack) -> Measurement:
    call = RepeatedCall("GET", running.shop.gateway + CATALOGS)
    return _measure("the same, kept for a second", running, [call] * CONNECTIONS, 200)


def orders(
    running: RunningStack, name: str = "a placed order", seconds: float = SECONDS
) -> Measurement:
    """Counted until the last of them is decided, for that is what an order costs."""
    product = f"/catalog-service/catalogs/{PRODUCT}"
    running.admin().call("PATCH", product, json={"addStock": STOCK}).raise_for_status()
    calls = [_order(running) for _ in range(CONNECTIONS)]
    return _measure(name, running, calls, 201, running.await_decisions, seconds)


def _order(running: RunningStack) -> RepeatedCall:
    customer = running.shop.customer()
    return RepeatedCall(
        "POST",
        customer.gateway + customer.orders,
        {"Authorization": f"Bearer {customer.token}", "Content-Type": "application/json"},
        json.dumps({"productId": PRODUCT, "qty": 1}),
    )


def _measure(
    name: str,
    running: RunningStack,
    calls: list[RepeatedCall],
    expected: int,
    settle: Callable[[], None] | None = None,
    seconds: float = SECONDS,
) -> Measurement:
    _measured_load(LoadPlan(calls, expected, WARM_UP_COUNT, WARM_UP_SECONDS))
    _seconds_of(settle)
    before = running.cpu()
    load = _measured_load(LoadPlan(calls, expected, COUNT, seconds))
    settling = _seconds_of(settle)
    return Measurement(name, load, difference(before, running.cpu()), settling)


def _seconds_of(settle: Callable[[], None] | None) -> float:
    if settle is None:
        return 0.0
    began = time.monotonic()
    settle()
    return time.monotonic() - began


def _measured_load(plan: LoadPlan) -> LoadResult:
    completed = subprocess.run(
        [sys.executable, "-m", "bench.harness.load_generator"],
        input=plan.document(),
        cwd=Path(__file__).parents[1],
        capture_output=True,
        text=True,
        timeout=plan.seconds + 30,
        check=False,
    )
    if completed.returncode:
        raise BenchError(f"the load generator failed:\n{completed.stderr}")
    load = LoadResult(**json.loads(completed.stdout))
    if not load.latencies:
        raise BenchError(f"none of {load.failures} requests was answered as expected")
    return load

"""The loads that are put on the shop through its gateway."""

import json
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bench.calibration import Calibration
from bench.harness.figures import ByProcess, LoadResult, Measurement, difference, without_idle
from bench.harness.load_generator import LoadPlan, RepeatedCall
from bench.harness.stack_under_test import BenchError, RunningStack
from fusebox.runtime.shop_client import FRESH

CONNECTIONS = 64
WARM_UP_SECONDS = 5.0
WARM_UP_COUNT = 10_000
SECONDS = 15.0
IDLE_SECONDS = 15.0
COUNT = 50_000
CATALOGS = "/catalog-service/catalogs"
PRODUCT = "CATALOG-0001"
STOCK = 10 * COUNT
# The rate at which the gateway once passed on what one catalog-service could answer.
STEADY_GETS = 170
STEADY_ORDERS = 100


@dataclass(frozen=True)
class ShopLoads:
    """What is put on one running shop; `idle` is what its processes use at rest, a second."""

    running: RunningStack
    calibration: Calibration
    idle: ByProcess

    def catalogs(self) -> Measurement:
        """From the service: the gateway would else give what it has kept."""
        call = RepeatedCall("GET", self.running.shop.gateway + CATALOGS, FRESH)
        return self._measure(f"GET {CATALOGS}", [call] * CONNECTIONS, 200)

    def kept_catalogs(self) -> Measurement:
        call = RepeatedCall("GET", self.running.shop.gateway + CATALOGS)
        return self._measure("the same, kept for a second", [call] * CONNECTIONS, 200)

    def steady_catalogs(self) -> Measurement:
        call = RepeatedCall("GET", self.running.shop.gateway + CATALOGS, FRESH)
        name = f"GET {CATALOGS}, {STEADY_GETS} a second"
        return self._measure(name, [call] * CONNECTIONS, 200, rate=STEADY_GETS)

    def orders(
        self, name: str, connections: int = CONNECTIONS, seconds: float = SECONDS
    ) -> Measurement:
        """Counted until the last of them is decided, for that is what an order costs."""
        return self._measure(name, self._customers(connections), 201, seconds=seconds)

    def steady_orders(self) -> Measurement:
        """Each customer waits for the decision: the latency is that from placed to decided."""
        name = f"placed to decided, {STEADY_ORDERS} a second"
        calls = self._customers(CONNECTIONS, {"Prefer": "wait=10"})
        return self._measure(name, calls, 201, rate=STEADY_ORDERS)

    def place(self, count: int, connections: int = CONNECTIONS) -> None:
        """`count` orders, as fast as they go, not measured.  Raises BenchError when one fails."""
        calls = self._customers(connections)
        load = measured_load(LoadPlan(calls, 201, count, seconds=count))
        if load.failures:
            raise BenchError(f"{load.failures} of {count} orders were not placed")
        self.running.await_decisions()

    def _customers(self, count: int, headers: dict[str, str] | None = None) -> list[RepeatedCall]:
        product = f"/catalog-service/catalogs/{PRODUCT}"
        self.running.admin().call("PATCH", product, json={"addStock": STOCK}).raise_for_status()
        return [_order(self.running, headers or {}) for _ in range(count)]

    def _measure(
        self,
        name: str,
        calls: list[RepeatedCall],
        expected: int,
        seconds: float = SECONDS,
        rate: float = 0.0,
    ) -> Measurement:
        settle = self.running.await_decisions
        measured_load(LoadPlan(calls, expected, WARM_UP_COUNT, WARM_UP_SECONDS, rate))
        settle()
        units = [self.calibration.sample()]
        before, began = self.running.cpu(), time.monotonic()
        load = measured_load(LoadPlan(calls, expected, COUNT, seconds, rate))
        settling = _seconds_of(settle) if expected == 201 else 0.0
        used, elapsed = difference(before, self.running.cpu()), time.monotonic() - began
        units.append(self.calibration.sample())
        cpu = without_idle(used, self.idle, elapsed)
        return Measurement(name, load, cpu, settling, _mean(units))


def at_rest(running: RunningStack) -> dict[str, float]:
    """The CPU seconds that each process uses in a second in which nobody asks for anything."""
    before = running.cpu()
    time.sleep(IDLE_SECONDS)
    used = difference(before, running.cpu())
    return {name: seconds / IDLE_SECONDS for name, seconds in used.items()}


def _order(running: RunningStack, headers: dict[str, str]) -> RepeatedCall:
    customer = running.shop.customer()
    return RepeatedCall(
        "POST",
        customer.gateway + customer.orders,
        {
            "Authorization": f"Bearer {customer.token}",
            "Content-Type": "application/json",
            **headers,
        },
        json.dumps({"productId": PRODUCT, "qty": 1}),
    )


def _mean(units: list[float | None]) -> float | None:
    known = [unit for unit in units if unit is not None]
    return sum(known) / len(known) if known else None


def _seconds_of(settle: Callable[[], None]) -> float:
    began = time.monotonic()
    settle()
    return time.monotonic() - began


def measured_load(plan: LoadPlan) -> LoadResult:
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

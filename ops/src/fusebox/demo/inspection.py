"""What the demo inspects inside: breakers, traces, request counts, configuration."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import Any, TypeVar

from fusebox.core.errors import Fault
from fusebox.core.stack import Stack
from fusebox.core.topology import part_of
from fusebox.demo.assertions import BreakerReading, Span
from fusebox.network import http
from fusebox.runtime import health, remote
from fusebox.runtime.actuator_client import ActuatorClient

T = TypeVar("T")
PAUSE_SECONDS = 0.1
FAIL_MAX = "fusebox.breaker.fail-max"
ANSWERED = re.compile(r'^http_server_requests_seconds_count\{.*uri="/catalogs".*\} (\S+)$', re.M)


def eventually(
    read: Callable[[], T], condition: Callable[[T], bool], seconds: float
) -> tuple[T, float]:
    """Read until `condition` holds or the time is over; the last value, and after how long."""
    began = time.monotonic()
    while True:
        value, elapsed = read(), time.monotonic() - began
        if condition(value) or elapsed > seconds:
            return value, elapsed
        time.sleep(PAUSE_SECONDS)


class Inspection:
    def __init__(self, stack: Stack) -> None:
        self._stack = stack

    def breaker(self, caller: str, called: str) -> BreakerReading:
        """What `caller` (an instance) says of its breaker for `called`."""
        breaker = self._actuator(caller).page(f"circuitbreakers/{called}")
        if not breaker:
            raise Fault(
                f"{caller} does not report its breaker for {called}", remedy="see `make status`."
            )
        return BreakerReading(
            state=breaker["state"],
            failures=breaker["failuresInARow"],
            failed_calls=breaker["failedCalls"],
            refused_calls=breaker["notPermittedCalls"],
        )

    def transitions(self, caller: str, called: str) -> list[str]:
        """The states the breaker has gone through since it last opened, oldest first."""
        page = self._actuator(caller).page(f"circuitbreakerevents/{called}")
        transitions = [
            event.get("stateTransition") for event in page.get("circuitBreakerEvents", [])
        ]
        states: list[str] = []
        for old, _, new in (change.partition("_TO_") for change in transitions if change):
            states = [old] if old == "CLOSED" else states
            states.append(new)
        return states

    def fail_max(self, instance: str) -> int:
        """How many failures in a row open a breaker of `instance`, as it is configured."""
        sources = self._actuator(instance).page("env").get("propertySources", [])
        properties = [source["properties"].get(FAIL_MAX) for source in sources]
        values = [int(entry["value"]) for entry in properties if entry]
        if not values:
            raise Fault(
                f"{instance} does not report {FAIL_MAX}", remedy="see config/application.yml."
            )
        return values[0]

    def requests_answered(self, instance: str) -> int:
        """How many requests for products `instance` of catalog-service has answered."""
        exposition = self._actuator(instance).get("prometheus").body.decode()
        return int(sum(map(float, ANSWERED.findall(exposition))))

    def trace(self, url: str) -> list[Span]:
        """The spans that Zipkin has of the trace at `url` of its UI, in the order of time."""
        trace_id = url.rpartition("/")[2]
        answer = http.get(f"{self._stack.url('zipkin')}/api/v2/trace/{trace_id}").json()
        spans: list[Any] = answer if isinstance(answer, list) else []
        return sorted(spans, key=lambda span: span.get("timestamp", 0))

    def _actuator(self, instance: str) -> ActuatorClient:
        address = remote.run(self._stack, health.registered).get(instance)
        if address is None:
            raise Fault(f"discovery does not know {instance}", remedy="see `make status`.")
        return ActuatorClient(self._stack, address.url, part_of(instance))

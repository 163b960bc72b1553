"""What the tour looks at inside: breakers, traces, request counts, configuration."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import Any, TypeVar

from fusebox.core import http
from fusebox.core.errors import Fault
from fusebox.core.stack import Stack
from fusebox.core.topology import part_of
from fusebox.demo.assertions import Breaker, Span
from fusebox.runtime import health, remote
from fusebox.runtime.actuator_client import Actuator

T = TypeVar("T")
PAUSE_SECONDS = 0.1
FAIL_MAX = "fusebox.breaker.fail-max"
ANSWERED = re.compile(r'^http_server_requests_seconds_count\{.*uri="/catalogs".*\} (\S+)$', re.M)


def eventually(look: Callable[[], T], good: Callable[[T], bool], seconds: float) -> tuple[T, float]:
    """Look until it is `good` or the time is over; what was seen last, and after how long."""
    began = time.monotonic()
    while True:
        seen, elapsed = look(), time.monotonic() - began
        if good(seen) or elapsed > seconds:
            return seen, elapsed
        time.sleep(PAUSE_SECONDS)


class Looking:
    def __init__(self, stack: Stack) -> None:
        self._stack = stack

    def breaker(self, caller: str, called: str) -> Breaker:
        """What `caller` (an instance) says of its breaker for `called`."""
        said = self._actuator(caller).page(f"circuitbreakers/{called}")
        if not said:
            raise Fault(f"{caller} does not tell its breaker for {called}", remedy="make status")
        return Breaker(
            state=said["state"],
            failures=said["failuresInARow"],
            failed_calls=said["failedCalls"],
            refused_calls=said["notPermittedCalls"],
        )

    def transitions(self, caller: str, called: str) -> list[str]:
        """The states the breaker has gone through since it last opened, oldest first."""
        said = self._actuator(caller).page(f"circuitbreakerevents/{called}")
        changes = [each.get("stateTransition") for each in said.get("circuitBreakerEvents", [])]
        states: list[str] = []
        for old, _, new in (each.partition("_TO_") for each in changes if each):
            states = [old] if old == "CLOSED" else states
            states.append(new)
        return states

    def fail_max(self, instance: str) -> int:
        """How many failures in a row open a breaker of `instance`, as it is configured."""
        sources = self._actuator(instance).page("env").get("propertySources", [])
        said = [each["properties"].get(FAIL_MAX) for each in sources]
        values = [int(each["value"]) for each in said if each]
        if not values:
            raise Fault(
                f"{instance} does not tell {FAIL_MAX}", remedy="see config/application.yml."
            )
        return values[0]

    def answered(self, instance: str) -> int:
        """How many questions for products `instance` of catalog-service has answered."""
        exposition = self._actuator(instance).get("prometheus").body.decode()
        return int(sum(map(float, ANSWERED.findall(exposition))))

    def trace(self, url: str) -> list[Span]:
        """The spans that Zipkin has of the trace at `url` of its UI, in the order of time."""
        trace_id = url.rpartition("/")[2]
        found = http.get(f"{self._stack.url('zipkin')}/api/v2/trace/{trace_id}").json()
        spans: list[Any] = found if isinstance(found, list) else []
        return sorted(spans, key=lambda span: span.get("timestamp", 0))

    def _actuator(self, instance: str) -> Actuator:
        at = remote.run(self._stack, health.registered).get(instance)
        if at is None:
            raise Fault(f"discovery does not know {instance}", remedy="see `make status`.")
        return Actuator.of(self._stack, part_of(instance), at.url)

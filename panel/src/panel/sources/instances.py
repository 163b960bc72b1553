"""Watches one instance of ours: what it says of its health, its circuit breakers, its figures."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from fusebox.runtime.chaos_monkey_client import described
from panel.model.exposition import parse
from panel.model.facts import Facts, InstanceFacts, InstanceLook
from panel.model.windows import CallCounts, CallWindow
from panel.sources.actuators import ActuatorReader, Silent

log = logging.getLogger(__name__)

# A breaker that opens is shown within a second.
BREAKERS_SECONDS, IDLE_BREAKERS_SECONDS = 0.6, 0.7
# Who has no breakers is asked only whether it is well.
HEALTH_SECONDS = 0.9
SELDOM_HEALTH_SECONDS = 5.0
METRICS_SECONDS, IDLE_METRICS_SECONDS = 2.0, 9.0
FAULTS_SECONDS = 6.0


@dataclass(frozen=True)
class Rhythm:
    """Whether somebody looks on, whether the shop is busy, and the pause when nobody does.

    `calls_seen` is called when there were calls, `trouble_seen` when one does not answer.
    """

    is_watched: Callable[[], bool]
    is_busy: Callable[[], bool]
    idle_seconds: Callable[[], float]
    calls_seen: Callable[[], None]
    trouble_seen: Callable[[], None]


class Schedule:
    """What is due, by name."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._done: dict[str, float] = {}

    def is_due(self, name: str, seconds: float) -> bool:
        now = self._clock()
        if now < self._done.get(name, float("-inf")) + seconds - 0.05:
            return False
        self._done[name] = now
        return True

    def hasten(self) -> None:
        self._done.clear()


class InstanceWatch:
    """`run` goes on until it is cancelled; `on_change` hears of what is new."""

    def __init__(
        self,
        instance: str,
        url: str,
        facts: Facts,
        actuators: ActuatorReader,
        rhythm: Rhythm,
        on_change: Callable[[], None],
        on_configuration: Callable[[str, str, Sequence[str]], None],
    ) -> None:
        self.url = url
        self._instance = instance
        self._part = instance.rpartition("-")[0]
        self._facts = facts
        self._actuators = actuators
        self._rhythm = rhythm
        self._on_change = on_change
        self._on_configuration = on_configuration
        self._schedule = Schedule()
        self._woken = asyncio.Event()
        # Of which change it has told so far; None before the first answer.
        self._configured_at: str | None = None

    @property
    def _known(self) -> InstanceFacts:
        return self._facts.of(self._instance)

    def hasten(self) -> None:
        """Look at everything now."""
        self._schedule.hasten()
        self._woken.set()

    async def run(self) -> None:
        while True:
            try:
                await self._look()
                error = ""
            except Silent as silent:
                error = str(silent)
            except Exception:
                log.exception("%s cannot be read", self._instance)
                error = "gives no proper answer"
            self._answered(error)
            self._woken.clear()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._woken.wait(), self._pause())

    def _pause(self) -> float:
        if not self._rhythm.is_watched():
            return self._rhythm.idle_seconds()
        if not self._known.breakers:
            return HEALTH_SECONDS
        return BREAKERS_SECONDS if self._rhythm.is_busy() else IDLE_BREAKERS_SECONDS

    def _answered(self, error: str) -> None:
        known = self._known
        if known.look is None or known.look.error != error:
            self._on_change()
            if error:
                self._rhythm.trouble_seen()
        known.look = InstanceLook(time.time(), error)
        if error:
            known.breakers = {}

    async def _look(self) -> None:
        known, is_watched = self._known, self._rhythm.is_watched()
        has_breakers = bool(known.breakers)
        if self._schedule.is_due("health", SELDOM_HEALTH_SECONDS if has_breakers else 0):
            self._take_health(await self._page("health"))
        if has_breakers or self._schedule.is_due("breakers", SELDOM_HEALTH_SECONDS):
            await self._look_at_breakers()
        if not is_watched:
            return
        if self._schedule.is_due("faults", FAULTS_SECONDS):
            self._take_faults(await self._page("chaosmonkey"))
        pause = METRICS_SECONDS if self._rhythm.is_busy() else IDLE_METRICS_SECONDS
        if self._schedule.is_due("metrics", pause):
            with suppress(Silent):  # that it is slow with figures says nothing of its health
                await self._look_at_metrics()

    async def _page(self, name: str) -> dict[str, Any]:
        return await self._actuators.json(self._part, f"{self.url}/actuator/{name}")

    def _take_health(self, health: dict[str, Any]) -> None:
        if health != self._known.health:
            self._known.health = health
            self._on_change()
        details = _dig(health, "components", "configuration", "details")
        if not details:
            return
        changed = details.get("changed") or {}
        at = str(changed.get("at", ""))
        if self._configured_at is not None and at and at != self._configured_at:
            keys = changed.get("keys")
            if isinstance(keys, list) and keys:
                self._on_configuration(at, self._part, [str(key) for key in keys])
                self._on_change()
        self._configured_at = at

    async def _look_at_breakers(self) -> None:
        known, now = self._known, time.time()
        has_breakers = bool(known.breakers)
        breakers = (await self._page("circuitbreakers")).get("circuitBreakers")
        if not isinstance(breakers, dict):
            return
        suspicious = [
            name
            for name, breaker in breakers.items()
            if _failed(breaker) > _failed(known.breakers.get(name, {}))
            or (breaker.get("state") != "CLOSED" and name not in known.last_failures)
        ]
        for name in suspicious:
            await self._look_at_failure(name)
        for name, breaker in breakers.items():
            known.calls.setdefault(name, CallWindow()).add(now, _counts(breaker))
        for name in set(known.calls) - set(breakers):
            del known.calls[name]
        if breakers != known.breakers:
            if has_breakers and _moves(known.breakers, breakers):
                self._rhythm.calls_seen()
            known.breakers = breakers
            self._on_change()

    async def _look_at_failure(self, breaker: str) -> None:
        page = await self._page(f"circuitbreakerevents/{breaker}")
        errors = [
            str(event["errorMessage"])
            for event in page.get("circuitBreakerEvents") or ()
            if event.get("errorMessage")
        ]
        if errors:
            self._known.last_failures[breaker] = errors[-1]

    def _take_faults(self, page: dict[str, Any]) -> None:
        properties = page.get("chaosMonkeyProperties") or {}
        assaults = page.get("assaultProperties") or {}
        active = tuple(described(assaults)) if properties.get("enabled") else ()
        if active != self._known.assaults:
            self._known.assaults = active
            self._on_change()

    async def _look_at_metrics(self) -> None:
        text = await self._actuators.text(self._part, f"{self.url}/actuator/prometheus")
        metrics, known, now = parse(text), self._known, time.time()
        if known.requests.add(now, metrics.requests) > 0:
            self._on_change()
        known.spans.add(now, CallCounts(metrics.spans))
        known.self_preservation = bool(metrics.self_preservation)
        self._facts.metrics_at = now


def _dig(document: Any, *path: str) -> dict[str, Any]:
    for name in path:
        document = document.get(name) if isinstance(document, dict) else None
    return document if isinstance(document, dict) else {}


def _failed(breaker: dict[str, Any]) -> int:
    calls = breaker.get("calls")
    return int(calls.get("failed") or 0) if isinstance(calls, dict) else 0


def _moves(before: Mapping[str, Any], now: Mapping[str, Any]) -> bool:
    """Whether there were calls, or a breaker is in another state: more of it may follow."""
    return any(
        name not in before
        or breaker.get("state") != before[name].get("state")
        or _counts(breaker).calls > _counts(before[name]).calls
        for name, breaker in now.items()
    )


def _counts(breaker: dict[str, Any]) -> CallCounts:
    """As `callDurations` has them, which says of each bound how many calls lie below it and above
    the one before."""
    calls = breaker.get("calls") or {}
    successful, failed = (int(calls.get(kind) or 0) for kind in ("successful", "failed"))
    refused = int(breaker.get("notPermittedCalls") or 0)
    durations, total = {}, 0.0
    for bound, count in (breaker.get("callDurations") or {}).items():
        total += count
        durations[float(bound)] = total
    return CallCounts(successful + failed + refused, failed + refused, durations)

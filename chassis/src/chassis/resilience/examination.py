"""Asks a called service itself whether it is well: before its breaker opens, and until it closes.

A 500 may be the fault of its request.  Whoever has found an input that a service answers with 500
could switch it off for everybody, from any number of addresses and accounts; so such answers only
raise the question, and the service's readiness (Kubernetes, Spring Boot) answers it, which no
client's input reaches.
"""

import threading
import time
from collections.abc import Callable, Collection

import requests

from chassis.config.settings import ClientSettings
from chassis.core.errors import Unavailable
from chassis.core.internal_http import internal_session
from chassis.discovery.instances import Instance
from chassis.resilience.circuit_breaker import CircuitBreaker
from chassis.resilience.circuit_breaker_registry import CircuitBreakerRegistry
from chassis.resilience.circuit_breaker_states import CLOSED

# A request with it meets the same assaults as a customer's.
PROBE = "X-Circuit-Breaker-Probe"
READINESS = "/actuator/health/readiness"
# One that fails a third of its calls is found out all the same.
QUESTIONS = 10
POLL_SECONDS = 0.25
IDLE_SECONDS = 1.0

Choose = Callable[[Collection[Instance]], Instance]


def ask(instance: Instance, settings: ClientSettings, breaker: CircuitBreaker) -> None:
    """Raises Unavailable when `instance` is not well, or too slow for the breaker's taste."""
    slow = breaker.settings.slow_call_duration_threshold
    longest = min(settings.read_timeout_seconds, slow)
    with internal_session() as session:
        try:
            response = session.get(
                instance.url + READINESS,
                headers={PROBE: breaker.name},
                timeout=(settings.connect_timeout_seconds, longest),
                allow_redirects=False,
            )
        # An instance may register under a name that no host can have: it answers nobody.
        except (requests.RequestException, ValueError) as error:
            raise Unavailable(f"{instance.service} does not answer a probe.") from error
    if response.status_code >= 500:
        raise Unavailable(f"{instance.service} answered a probe with {response.status_code}.")


def examine(breaker: CircuitBreaker, instance: Instance, settings: ClientSettings) -> None:
    """Is `instance`, which has answered 500, broken, or was it the requests' fault?"""
    verdict: Unavailable | None = None
    end = time.monotonic() + settings.read_timeout_seconds
    try:
        for _ in range(QUESTIONS):
            ask(instance, settings, breaker)
            if time.monotonic() > end:
                break
    except Unavailable as error:
        verdict = error
    finally:
        breaker.examined(verdict)


def find_a_well_one(breaker: CircuitBreaker, choose: Choose, settings: ClientSettings) -> None:
    """Raises Unavailable when none of the instances that `choose` knows is well."""
    tried: set[Instance] = set()
    while True:
        instance = choose(tried)
        try:
            return ask(instance, settings, breaker)
        except Unavailable:
            tried.add(instance)


class OpenBreakerProber:
    """Finds out whether services are back whose breakers are open and whom nobody calls."""

    def __init__(self, breakers: CircuitBreakerRegistry) -> None:
        self._breakers = breakers

    def run(self, stop: threading.Event) -> None:
        """While all are closed nothing is due: an open one waits for seconds first."""
        while not stop.wait(POLL_SECONDS if self._is_any_open() else IDLE_SECONDS):
            self.probe()

    def _is_any_open(self) -> bool:
        return any(breaker.state != CLOSED for breaker in self._breakers.all())

    def probe(self) -> None:
        """Once, all that are due."""
        for breaker in self._breakers.all():
            if breaker.find_a_well_one is not None and breaker.is_due():
                breaker.probed(_succeeds(breaker.find_a_well_one))


def _succeeds(find: Callable[[], None]) -> bool:
    try:
        find()
    except Unavailable:
        return False
    return True

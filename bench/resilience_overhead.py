"""What protecting a call costs: one breaker under many callers, and each part on its own.

`python -m bench.resilience_overhead` measures and prints; `section` is for the larger page.
"""

import itertools
import json
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager

import pybreaker
from py_zipkin import Kind

from bench.gateway_comparison.proxies import TokenIssuer
from bench.harness.report import table
from chassis.config.settings import BulkheadSettings, Fusebox
from chassis.core.live import Live
from chassis.observability.sampling import Sampler, SamplingRules
from chassis.observability.tracing import Tracer
from chassis.resilience import deadline
from chassis.resilience.bulkhead import Bulkhead
from chassis.resilience.circuit_breaker import CircuitBreaker
from chassis.resilience.circuit_breaker_registry import CircuitBreakerRegistry
from chassis.resilience.policy import ResiliencePolicies
from chassis.web.auth import REMEMBERED, TokenVerifier

CALLERS = 64
ANSWER_SECONDS = 0.020
SECONDS = 3.0
ROUNDS = 20_000
SETTINGS = Fusebox(bulkhead=BulkheadSettings(max_concurrent_calls=CALLERS, max_wait_seconds=0))


def section() -> list[str]:
    under_lock, ours = _pybreakers_way(), _our_way()
    rows = [
        ("pybreaker's `call()` around the I/O", f"{under_lock:.0f}", "1"),
        ("our breaker", f"{ours:.0f}", f"{ours / under_lock:.0f}"),
    ]
    return [
        "## Protected calls",
        "",
        f"One breaker, {CALLERS} callers, a called service that answers in "
        f"{ANSWER_SECONDS * 1000:.0f} ms:",
        "",
        *table(("", "calls/s", "times"), rows),
        "",
        "What each protection adds to one call, in CPU; an order makes two such calls, from the "
        "gateway and from order-service. What tracing costs an order shows in the requests above.",
        "",
        *table(("", "µs"), [(name, f"{cost * 1e6:.1f}") for name, cost in _costs()]),
    ]


def _pybreakers_way() -> float:
    breaker = pybreaker.CircuitBreaker()
    return _calls_a_second(lambda: breaker.call(time.sleep, ANSWER_SECONDS))


def _our_way() -> float:
    breaker = CircuitBreaker("called", Live(SETTINGS.breaker))

    def call() -> None:
        permit = breaker.acquire_permit()
        time.sleep(ANSWER_SECONDS)
        permit.succeeded()

    return _calls_a_second(call)


def _calls_a_second(call: Callable[[], object]) -> float:
    calls = [0] * CALLERS
    end = time.monotonic() + SECONDS

    def run(number: int) -> None:
        while time.monotonic() < end:
            call()
            calls[number] += 1

    threads = [threading.Thread(target=run, args=(number,)) for number in range(CALLERS)]
    began = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(calls) / (time.monotonic() - began)


def _costs() -> list[tuple[str, float]]:
    breaker = CircuitBreaker("called", Live(SETTINGS.breaker))
    bulkhead = Bulkhead("called", Live(SETTINGS.bulkhead))
    whole = ResiliencePolicies(CircuitBreakerRegistry(Live(SETTINGS.breaker)), Live(SETTINGS)).of(
        "called"
    )
    return [
        ("breaker: permit and outcome", _cpu_of(lambda: breaker.acquire_permit().succeeded())),
        ("bulkhead: a place", _cpu_of(lambda: _pass_through(bulkhead))),
        ("deadline: read, checked and passed on", _cpu_of(_deadline)),
        ("all of these and the retry budget", _cpu_of(lambda: _enter(whole.permit()))),
        ("an access token that was seen before", _cpu_of(_token_check(is_new=False))),
        ("an access token that is new", _cpu_of(_token_check(is_new=True))),
        ("a span that is not sampled", _cpu_of(_span_of(0.0))),
        ("a span that is sampled", _cpu_of(_span_of(1.0))),
    ]


def _pass_through(bulkhead: Bulkhead) -> None:
    bulkhead.enter()
    bulkhead.leave()


def _enter(context: AbstractContextManager[object]) -> None:
    with context:
        pass


def _deadline() -> None:
    deadline.enter_from_outside(None, longest=10)
    deadline.check()
    deadline.outgoing()


def _token_check(is_new: bool) -> Callable[[], None]:
    """What the gateway and each service do with a token for themselves."""
    issuer = TokenIssuer.new()
    verifier = TokenVerifier(lambda: json.loads(issuer.keys()))
    verifier.refresh()
    headers = [
        f"Bearer {issuer.token(str(number))}" for number in range(REMEMBERED + 1 if is_new else 1)
    ]
    given = itertools.cycle(headers)

    def check() -> None:
        verifier.caller_of(next(given))

    return check


def _span_of(probability: float) -> Callable[[], None]:
    tracer = Tracer("caller", Sampler(Live(SamplingRules(probability))), lambda _span: None)

    def span() -> None:
        with tracer.serve("get /", {}), tracer.span("get /", Kind.CLIENT):
            pass

    return span


def _cpu_of(work: Callable[[], object]) -> float:
    began = time.thread_time()
    for _ in range(ROUNDS):
        work()
    return (time.thread_time() - began) / ROUNDS


if __name__ == "__main__":
    print("\n".join(section()))

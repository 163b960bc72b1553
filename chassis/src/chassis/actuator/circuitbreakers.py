"""The circuit breakers of a process in resilience4j's shapes: their endpoints and metrics."""

from collections.abc import Iterable
from typing import Annotated, Any, Literal

from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    Metric,
    SummaryMetricFamily,
)
from pydantic import BaseModel, Field, ValidationError

from chassis.actuator.endpoints import (
    ANY,
    Actuator,
    ActuatorRequest,
    ActuatorResponse,
    json_response,
)
from chassis.core import strict_json
from chassis.core.errors import Invalid, NotFound
from chassis.observability.metrics import Metrics
from chassis.resilience.circuit_breaker import CircuitBreaker
from chassis.resilience.circuit_breaker_events import DURATION_BOUNDS, CircuitBreakerEvent
from chassis.resilience.circuit_breaker_registry import CircuitBreakerRegistry
from chassis.resilience.sliding_window import WindowFigures

PREFIX = "resilience4j_circuitbreaker_"
# How many calls took up to so many seconds, and more than the one before.
BOUNDS = (*map(str, DURATION_BOUNDS), "+Inf")
STATES = ("closed", "open", "half_open", "forced_open", "disabled")


class Update(BaseModel):
    state: Annotated[Literal["CLOSE", "FORCE_OPEN", "DISABLE"], Field(alias="updateState")]


def add(actuator: Actuator, metrics: Metrics, breakers: CircuitBreakerRegistry) -> None:
    def all_states(_: ActuatorRequest) -> ActuatorResponse:
        return json_response(
            {"circuitBreakers": {breaker.name: _state(breaker) for breaker in breakers.all()}}
        )

    def all_events(_: ActuatorRequest) -> ActuatorResponse:
        return _events(event for breaker in breakers.all() for event in breaker.events)

    def events(request: ActuatorRequest) -> ActuatorResponse:
        return _events(_known(breakers, request.name).events)

    def update(request: ActuatorRequest) -> ActuatorResponse:
        strict_json.loads(request.body or b"{}")
        try:
            state = Update.model_validate_json(request.body).state
        except ValidationError as error:
            raise Invalid(
                'Send {"updateState": "CLOSE"}, or FORCE_OPEN or DISABLE in its place.'
            ) from error
        breaker = _known(breakers, request.name)
        {"CLOSE": breaker.reset, "FORCE_OPEN": breaker.force_open, "DISABLE": breaker.disable}[
            state
        ]()
        return json_response({"circuitBreakerName": breaker.name, "currentState": breaker.state})

    actuator.add("circuitbreakers", all_states)
    actuator.add(
        "circuitbreakers" + ANY,
        lambda request: json_response(_state(_known(breakers, request.name))),
    )
    actuator.add("circuitbreakers" + ANY, update, method="POST")
    actuator.add("circuitbreakerevents", all_events)
    actuator.add("circuitbreakerevents" + ANY, events)
    metrics.add(lambda: _breaker_metrics(breakers))


def _known(breakers: CircuitBreakerRegistry, name: str) -> CircuitBreaker:
    breaker = breakers.known(name)
    if breaker is None:
        raise NotFound(f"There is no circuit breaker {name} here: nobody has called it yet.")
    return breaker


def _state(breaker: CircuitBreaker) -> dict[str, Any]:
    figures, settings = breaker.window, breaker.settings
    failure_rate, slow_rate = _rates(breaker, figures)
    return {
        "state": breaker.state,
        "failureRate": f"{failure_rate:.1f}%",
        "slowCallRate": f"{slow_rate:.1f}%",
        "failureRateThreshold": f"{settings.failure_rate_threshold:.1f}%",
        "slowCallRateThreshold": f"{settings.slow_call_rate_threshold:.1f}%",
        "bufferedCalls": figures.calls,
        "failedCalls": figures.failed + figures.suspected,
        "slowCalls": figures.slow,
        "slowFailedCalls": figures.slow_failed,
        "notPermittedCalls": breaker.not_permitted,
        "failuresInARow": breaker.failures,
        "failMax": settings.fail_max,
        "minimumNumberOfCalls": settings.calls_to_judge,
        "calls": dict(breaker.calls),
        "callDurations": dict(zip(BOUNDS, breaker.durations, strict=True)),
        "secondsToProbe": round(breaker.seconds_to_probe(), 1),
    }


def _rates(breaker: CircuitBreaker, figures: WindowFigures) -> tuple[float, float]:
    """In per cent; as in resilience4j -1 while there are too few calls for a rate."""
    if figures.calls < breaker.settings.calls_to_judge:
        return -1.0, -1.0
    return figures.failure_rate, figures.slow_rate


def _events(events: Iterable[CircuitBreakerEvent]) -> ActuatorResponse:
    ordered = sorted(events, key=lambda event: event.at)
    return json_response({"circuitBreakerEvents": [_event(event) for event in ordered]})


def _event(event: CircuitBreakerEvent) -> dict[str, Any]:
    members = {
        "circuitBreakerName": event.breaker,
        "type": event.type,
        "creationTime": event.at.isoformat(),
        "errorMessage": event.error,
        "durationInMs": event.duration_ms,
        "stateTransition": event.transition,
    }
    return {key: value for key, value in members.items() if value is not None}


def _breaker_metrics(breakers: CircuitBreakerRegistry) -> Iterable[Metric]:
    state = _gauge("state", "1 for the state it is in.", "state")
    calls = SummaryMetricFamily(PREFIX + "calls_seconds", "Calls.", labels=("name", "kind"))
    refused = CounterMetricFamily(
        PREFIX + "not_permitted_calls", "Calls refused while open.", labels=("name", "kind")
    )
    buffered = _gauge("buffered_calls", "Calls in the sliding window.", "kind")
    slow = _gauge("slow_calls", "Slow calls in the sliding window.", "kind")
    rates = (
        _gauge("failure_rate", "Per cent; -1: too few calls."),
        _gauge("slow_call_rate", "Per cent; -1: too few calls."),
    )
    for breaker in breakers.all():
        name, figures = breaker.name, breaker.window
        for known in STATES:
            state.add_metric((name, known), float(breaker.state.lower() == known))
        for kind, number in breaker.calls.items():
            calls.add_metric((name, kind), number, breaker.seconds[kind])
        refused.add_metric((name, "not_permitted"), breaker.not_permitted)
        failed = figures.failed + figures.suspected
        buffered.add_metric((name, "failed"), failed)
        buffered.add_metric((name, "successful"), figures.calls - failed)
        slow.add_metric((name, "failed"), figures.slow_failed)
        slow.add_metric((name, "successful"), figures.slow - figures.slow_failed)
        for family, rate in zip(rates, _rates(breaker, figures), strict=True):
            family.add_metric((name,), rate)
    return state, calls, refused, buffered, slow, *rates


def _gauge(name: str, help_: str, *labels: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(PREFIX + name, help_, labels=("name", *labels))

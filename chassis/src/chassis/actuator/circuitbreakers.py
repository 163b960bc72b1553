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
from chassis.resilience.circuit_breaker import (
    CircuitBreaker,
    CircuitBreakerEvent,
    CircuitBreakerRegistry,
)

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
    calls = breaker.calls["successful"] + breaker.calls["failed"]
    rate = 100 * breaker.calls["failed"] / calls if calls else 0.0
    return {
        "state": breaker.state,
        "failureRate": f"{rate:.1f}%",
        "bufferedCalls": calls,
        "failedCalls": breaker.calls["failed"],
        "failuresInARow": breaker.failures,
        "notPermittedCalls": breaker.not_permitted,
        "secondsToProbe": round(breaker.seconds_to_probe(), 1),
    }


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
    state = GaugeMetricFamily(
        "resilience4j_circuitbreaker_state", "1 for the state it is in.", labels=("name", "state")
    )
    calls = SummaryMetricFamily(
        "resilience4j_circuitbreaker_calls_seconds", "Calls.", labels=("name", "kind")
    )
    refused = CounterMetricFamily(
        "resilience4j_circuitbreaker_not_permitted_calls",
        "Calls refused while open.",
        labels=("name", "kind"),
    )
    for breaker in breakers.all():
        for name in STATES:
            state.add_metric((breaker.name, name), float(breaker.state.lower() == name))
        for kind, number in breaker.calls.items():
            calls.add_metric((breaker.name, kind), number, breaker.seconds[kind])
        refused.add_metric((breaker.name, "not_permitted"), breaker.not_permitted)
    return state, calls, refused

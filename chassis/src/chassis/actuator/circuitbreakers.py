"""The breakers of a process under /actuator, in resilience4j's shapes: looked at and worked."""

from collections.abc import Iterable
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, ValidationError

from chassis.actuator.endpoints import ANY, Actuator, Asked, Reply, reply
from chassis.core.errors import Invalid, NotFound
from chassis.resilience.circuit_breaker import (
    CircuitBreaker,
    CircuitBreakerEvent,
    CircuitBreakerRegistry,
)


class Update(BaseModel):
    state: Annotated[Literal["CLOSE", "FORCE_OPEN", "DISABLE"], Field(alias="updateState")]


def add(actuator: Actuator, breakers: CircuitBreakerRegistry) -> None:
    def all_states(_: Asked) -> Reply:
        return reply({"circuitBreakers": {each.name: _state(each) for each in breakers.all()}})

    def all_events(_: Asked) -> Reply:
        return _events(event for each in breakers.all() for event in each.events)

    def events(asked: Asked) -> Reply:
        return _events(_known(breakers, asked.name).events)

    def update(asked: Asked) -> Reply:
        try:
            wanted = Update.model_validate_json(asked.body).state
        except ValidationError as error:
            raise Invalid(
                'Send {"updateState": "CLOSE"}, or FORCE_OPEN or DISABLE in its place.'
            ) from error
        breaker = _known(breakers, asked.name)
        {"CLOSE": breaker.reset, "FORCE_OPEN": breaker.force_open, "DISABLE": breaker.disable}[
            wanted
        ]()
        return reply({"circuitBreakerName": breaker.name, "currentState": breaker.state})

    actuator.add("circuitbreakers", all_states)
    actuator.add("circuitbreakers" + ANY, lambda asked: reply(_state(_known(breakers, asked.name))))
    actuator.add("circuitbreakers" + ANY, update, method="POST")
    actuator.add("circuitbreakerevents", all_events)
    actuator.add("circuitbreakerevents" + ANY, events)


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


def _events(events: Iterable[CircuitBreakerEvent]) -> Reply:
    ordered = sorted(events, key=lambda event: event.at)
    return reply({"circuitBreakerEvents": [_event(each) for each in ordered]})


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

"""The actuator of one running process of ours, asked at the process' own port."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from fusebox.core.stack import Stack
from fusebox.core.topology import Part, part_of
from fusebox.network import http
from fusebox.network.http import HttpResponse
from fusebox.runtime import health, remote
from fusebox.runtime.credentials import headers_for
from fusebox.runtime.driver import State

CLOSED = "CLOSED"


@dataclass(frozen=True)
class BreakerState:
    """A circuit breaker; `since` is when it came into a state other than CLOSED, in RFC 3339."""

    name: str
    state: str
    failures: int = 0
    seconds_to_probe: float = 0
    since: str = ""


@dataclass(frozen=True)
class ActuatorClient:
    """`url` is the address of the process of `part`, which is shown with each call who asks."""

    stack: Stack
    url: str
    part: Part

    @classmethod
    def at(cls, stack: Stack, state: State) -> ActuatorClient | None:
        """None for what has none: a part that is not ours, or that takes no connections yet."""
        part, at = part_of(state.instance), health.socket(stack, state)
        return cls(stack, at.url, part) if at and part.is_ours else None

    def page(self, name: str) -> dict[str, Any]:
        """The JSON object under that name; empty when there is none."""
        return _object(self.get(name))

    def get(self, name: str) -> HttpResponse:
        return remote.run(self.stack, _get, f"{self.url}/actuator/{name}", self._headers)

    def post(self, name: str, document: Any = None) -> HttpResponse:
        url = f"{self.url}/actuator/{name}"
        return remote.run(self.stack, _post, url, document, self._headers)

    @property
    def _headers(self) -> dict[str, str]:
        """Made anew, for they are short-lived."""
        return headers_for(self.stack, self.part)

    def breakers(self) -> list[BreakerState]:
        """The circuit breaker of each service that this process calls."""
        breakers = self.page("circuitbreakers").get("circuitBreakers")
        if not isinstance(breakers, dict):
            return []
        return [self._breaker(name, breaker) for name, breaker in breakers.items()]

    def _breaker(self, name: str, breaker: dict[str, Any]) -> BreakerState:
        state = str(breaker.get("state", "?"))
        return BreakerState(
            name,
            state,
            failures=int(breaker.get("failuresInARow") or breaker.get("failedCalls") or 0),
            seconds_to_probe=float(breaker.get("secondsToProbe") or 0),
            since="" if state == CLOSED else self._since(name),
        )

    def _since(self, breaker: str) -> str:
        events = self.page(f"circuitbreakerevents/{breaker}").get("circuitBreakerEvents")
        times = [
            str(event.get("creationTime", ""))
            for event in (events if isinstance(events, list) else ())
            if event.get("stateTransition")
        ]
        return times[-1] if times else ""

    def problems(self) -> dict[str, str]:
        """Why each component that is DOWN is so, by its name: also of those that only inform."""
        document = self.get("health").json()
        components = document.get("components") if isinstance(document, dict) else None
        return {
            name: str((component.get("details") or {}).get("error") or "is DOWN")
            for name, component in (components or {}).items()
            if component.get("status") == "DOWN"
        }


def _get(_stack: Stack, url: str, headers: dict[str, str]) -> HttpResponse:
    return http.get(url, headers=headers)


def _post(_stack: Stack, url: str, document: Any, headers: dict[str, str]) -> HttpResponse:
    return http.post(url, document, headers=headers)


def _object(answer: HttpResponse) -> dict[str, Any]:
    document = answer.json() if answer.ok else None
    return document if isinstance(document, dict) else {}

"""The actuator of one running process of ours, asked at the process' own port."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from fusebox.core import http
from fusebox.core.http import HttpResponse
from fusebox.core.stack import Stack
from fusebox.core.topology import Part, part_of
from fusebox.runtime import health, remote
from fusebox.runtime.admin_token import token_for
from fusebox.runtime.driver import State


@dataclass(frozen=True)
class ActuatorClient:
    """`url` is the process' address; only the gateway wants a token, as it faces the world."""

    stack: Stack
    url: str
    token: str = ""

    @classmethod
    def of(cls, stack: Stack, part: Part, url: str) -> ActuatorClient:
        return cls(stack, url, token_for(stack) if part.name == "gateway" else "")

    @classmethod
    def at(cls, stack: Stack, state: State) -> ActuatorClient | None:
        """None for what has none: a part that is not ours, or that takes no connections yet."""
        part, at = part_of(state.instance), health.socket(stack, state)
        return cls.of(stack, part, at.url) if at and part.is_ours else None

    def page(self, name: str) -> dict[str, Any]:
        """The JSON object under that name; empty when there is none."""
        return _object(self.get(name))

    def get(self, name: str) -> HttpResponse:
        return remote.run(self.stack, _get, f"{self.url}/actuator/{name}", self.token)

    def post(self, name: str, document: Any = None) -> HttpResponse:
        return remote.run(self.stack, _post, f"{self.url}/actuator/{name}", document, self.token)

    def breakers(self) -> dict[str, str]:
        """The state of the breaker of each service that this process calls."""
        breakers = self.page("circuitbreakers").get("circuitBreakers")
        if not isinstance(breakers, dict):
            return {}
        return {name: str(breaker.get("state", "?")) for name, breaker in breakers.items()}


def _get(_stack: Stack, url: str, token: str) -> HttpResponse:
    return http.get(url, token=token)


def _post(_stack: Stack, url: str, document: Any, token: str) -> HttpResponse:
    return http.post(url, document, token=token)


def _object(answer: HttpResponse) -> dict[str, Any]:
    document = answer.json() if answer.ok else None
    return document if isinstance(document, dict) else {}

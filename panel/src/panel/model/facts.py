"""What the polls have brought: the newest of each, with when it came."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Document = Mapping[str, Any]


@dataclass(frozen=True)
class PartFacts:
    """A part as the topology declares it; `instances` are the names it has without a registry."""

    name: str
    kind: str
    addresses: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Registration:
    """An instance as discovery lists it."""

    instance: str
    service: str
    host: str
    port: int
    version: str | None = None
    canary: bool = False

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.port}"


@dataclass(frozen=True)
class Pages:
    """The actuator pages of an instance; `error` says why there are none."""

    at: float
    health: Document = field(default_factory=dict)
    breakers: Document = field(default_factory=dict)
    error: str = ""


@dataclass
class Facts:
    """All that is known of the shop.  Written by the polls, read by the picture."""

    parts: tuple[PartFacts, ...]
    registry: tuple[Registration, ...] = ()
    registry_at: float | None = None
    pages: dict[str, Pages] = field(default_factory=dict)
    answers: dict[str, Pages] = field(default_factory=dict)

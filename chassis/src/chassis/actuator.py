"""What a process tells about itself under /actuator, in Spring Boot's shapes.

Framework-free: `answer` maps a method and a path to a reply, and each adapter mounts it.
"""

import json
import logging
import os
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import Any

from chassis import metrics
from chassis.breaker import Breaker, Breakers
from chassis.configuration import Configuration, ConfigurationError
from chassis.environment import Environment
from chassis.metrics import Metrics
from chassis.workers import Workers

SECRET = re.compile(r"password|secret|token|key|credential", re.IGNORECASE)
JSON = "application/vnd.spring-boot.actuator.v3+json"
Check = Callable[[], dict[str, Any]]


@dataclass(frozen=True)
class Reply:
    body: bytes
    status: int = 200
    content_type: str = JSON


def reply(document: Any, status: int = 200) -> Reply:
    return Reply(json.dumps(document).encode(), status)


def up(**details: Any) -> dict[str, Any]:
    return {"status": "UP", "details": details}


def down(reason: str, **details: Any) -> dict[str, Any]:
    return {"status": "DOWN", "details": {"error": reason, **details}}


@dataclass
class Health:
    """Named checks.  Each returns `up(…)` or `down(…)`, quickly, and raises nothing.

    Those in `readiness` decide whether requests should come here; the others only tell.
    """

    checks: dict[str, Check] = field(default_factory=dict)
    readiness: set[str] = field(default_factory=set)
    leaving: bool = False

    def add(self, name: str, check: Check, readiness: bool = False) -> None:
        self.checks[name] = check
        if readiness:
            self.readiness.add(name)

    def document(self, only: set[str] | None = None) -> dict[str, Any]:
        names = self.checks if only is None else sorted(only)
        found = {name: self.checks[name]() for name in names}
        if self.leaving:
            return {"status": "OUT_OF_SERVICE", "components": found}
        deciding = [found[name]["status"] for name in found if name in self.readiness]
        return {"status": "DOWN" if "DOWN" in deciding else "UP", "components": found}


class Actuator:
    def __init__(
        self,
        environment: Environment,
        configuration: Configuration[Any],
        breakers: Breakers,
        measured: Metrics,
        workers: Workers,
    ) -> None:
        self._environment = environment
        self._configuration = configuration
        self._breakers = breakers
        self._metrics = measured
        self._workers = workers
        self.health = Health()
        self.health.add("configuration", self._configuration_health)
        self.health.add("workers", self._workers_health, readiness=True)
        self._pages: dict[str, Callable[[], Reply]] = {
            "": self._index,
            "health": lambda: self._health(None),
            "health/liveness": lambda: reply({"status": "UP"}),
            "health/readiness": lambda: self._health(self.health.readiness),
            "info": self._info,
            "env": self._env,
            "loggers": self._loggers,
            "prometheus": lambda: Reply(
                self._metrics.exposition(), content_type=metrics.CONTENT_TYPE
            ),
            "circuitbreakers": self._circuit_breakers,
            "circuitbreakerevents": lambda: self._events(self._breakers.all()),
        }
        self._actions: dict[str, Callable[[], Reply]] = {"refresh": self._refresh}

    def add_page(self, path: str, page: Callable[[], Reply]) -> None:
        self._pages[path] = page

    def answer(self, method: str, path: str) -> Reply:
        """The reply to `method` on /actuator/`path`."""
        name = path.strip("/")
        table = self._pages if method in ("GET", "HEAD") else self._actions
        page = table.get(name)
        if page is not None:
            return page()
        if name in self._pages or name in self._actions:
            return reply({"status": 405, "error": "Method Not Allowed"}, 405)
        return reply({"status": 404, "error": "Not Found", "path": f"/actuator/{path}"}, 404)

    def _index(self) -> Reply:
        return reply(
            {"_links": {name: {"href": f"/actuator/{name}"} for name in self._pages if name}}
        )

    def _health(self, only: set[str] | None) -> Reply:
        document = self.health.document(only)
        return reply(document, 200 if document["status"] == "UP" else 503)

    def _configuration_health(self) -> dict[str, Any]:
        return up(source=self._configuration.source)

    def _workers_health(self) -> dict[str, Any]:
        alive = self._workers.alive()
        dead = [name for name, lives in alive.items() if not lives]
        return down(f"dead: {', '.join(dead)}") if dead else up(threads=sorted(alive))

    def _info(self) -> Reply:
        name = self._environment.service
        app = {"name": name, "instance": self._environment.instance, "version": version(name)}
        return reply({"app": app, "process": {"pid": os.getpid()}})

    def _env(self) -> Reply:
        sources: dict[str, dict[str, Any]] = {}
        for key, (value, source) in self._configuration.flat.items():
            shown = "******" if SECRET.search(key) else value
            sources.setdefault(source, {})[key] = {"value": shown}
        return reply(
            {
                "activeProfiles": [self._environment.profile],
                "propertySources": [
                    {"name": name, "properties": properties} for name, properties in sources.items()
                ],
            }
        )

    def _refresh(self) -> Reply:
        try:
            return reply(self._configuration.refresh())
        except ConfigurationError as error:
            return reply({"status": 500, "error": "Not Refreshed", "message": str(error)}, 500)

    def _loggers(self) -> Reply:
        root = logging.getLevelName(logging.getLogger().level)
        return reply({"loggers": {"ROOT": {"configuredLevel": root, "effectiveLevel": root}}})

    def _circuit_breakers(self) -> Reply:
        return reply(
            {"circuitBreakers": {each.name: _breaker(each) for each in self._breakers.all()}}
        )

    def _events(self, breakers: list[Breaker]) -> Reply:
        events = [event for breaker in breakers for event in breaker.events]
        found = [
            {
                "circuitBreakerName": event.breaker,
                "type": event.type,
                "creationTime": event.at.isoformat(),
                "errorMessage": event.error,
                "durationInMs": event.duration_ms,
                "stateTransition": event.transition,
            }
            for event in sorted(events, key=lambda event: event.at)
        ]
        return reply(
            {
                "circuitBreakerEvents": [
                    {key: value for key, value in each.items() if value is not None}
                    for each in found
                ]
            }
        )


def _breaker(breaker: Breaker) -> dict[str, Any]:
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

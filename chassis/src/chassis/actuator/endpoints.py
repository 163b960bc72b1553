"""The endpoints under /actuator, in the shapes of Spring Boot Actuator.

Framework-free: `answer` maps a method and a path to a response, and chassis.runtime mounts it.
"""

import json
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from chassis.config import metadata
from chassis.config.client import ConfigClient
from chassis.core.clock import rfc3339
from chassis.core.environment import Environment
from chassis.core.errors import MethodNotAllowed, NotFound, Problem
from chassis.core.secrecy import MASK, masked
from chassis.core.workers import Workers
from chassis.observability import metrics
from chassis.observability.metrics import Metrics
from chassis.web import problem_details

# Rather one too many, but not every key of the monkey.
SECRET = re.compile(
    r"passw(?:or)?d|passphrase|pwd|secret|token|(?<!mon)key|credential|private|authoriz",
    re.IGNORECASE,
)
# In an address: what drivers of databases take.
PARAMETER = re.compile(r"((?:password|passwd|pwd|secret|token)=)[^&;\s]+", re.IGNORECASE)
JSON = "application/vnd.spring-boot.actuator.v3+json"
Check = Callable[[], dict[str, Any]]
# The end of a path that stands for any one segment.
ANY = "/*"


@dataclass(frozen=True)
class ActuatorResponse:
    body: bytes
    status: int = 200
    content_type: str = JSON
    headers: Mapping[str, str] = field(default_factory=dict)


class ActuatorRequest(NamedTuple):
    """`name` is the last segment of the path where the endpoint was added for any."""

    name: str
    body: bytes


Endpoint = Callable[[ActuatorRequest], ActuatorResponse]


def json_response(document: Any, status: int = 200) -> ActuatorResponse:
    return ActuatorResponse(json.dumps(document).encode(), status)


def up(**details: Any) -> dict[str, Any]:
    return {"status": "UP", "details": details}


def down(reason: str, **details: Any) -> dict[str, Any]:
    return {"status": "DOWN", "details": {"error": reason, **details}}


@dataclass
class Health:
    """Named checks.  Each returns `up(…)` or `down(…)`, quickly, and raises nothing.

    Those in `readiness` decide whether requests should come here; the others only inform.
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
        components = {name: self.checks[name]() for name in names}
        if self.leaving:
            return {"status": "OUT_OF_SERVICE", "components": components}
        deciding = [components[name]["status"] for name in components if name in self.readiness]
        return {"status": "DOWN" if "DOWN" in deciding else "UP", "components": components}


class Actuator:
    """The endpoints that every process has; `add` adds the others."""

    def __init__(
        self,
        environment: Environment,
        configuration: ConfigClient[Any],
        measured: Metrics,
        workers: Workers,
    ) -> None:
        self._environment = environment
        self._configuration = configuration
        self._metrics = measured
        self._workers = workers
        self.health = Health()
        self.health.add("configuration", self._configuration_health)
        self.health.add("workers", self._workers_health, readiness=True)
        self._endpoints: dict[tuple[str, str], Endpoint] = {}
        self.add("", self._index)
        self.add("health", lambda _: self._health(None))
        self.add("health/liveness", lambda _: json_response({"status": "UP"}))
        self.add("health/readiness", lambda _: self._health(self.health.readiness))
        self.add("info", self._info)
        self.add("env", self._env)
        self.add("env" + ANY, self._env_of)
        self.add("configuration-metadata", self._configuration_metadata)
        self.add("prometheus", self._prometheus)

    def add(self, path: str, endpoint: Endpoint, method: str = "GET") -> None:
        """`endpoint` answers `method` on /actuator/`path`; ANY at its end matches any last segment.

        It may raise a Problem.
        """
        self._endpoints[method, path] = endpoint

    def answer(self, method: str, path: str, body: bytes = b"") -> ActuatorResponse:
        """The response to `method` on /actuator/`path`."""
        name = path.strip("/")
        general, _, last = name.rpartition("/")
        method = "GET" if method == "HEAD" else method
        try:
            for known in (name, general + ANY):
                endpoint = self._endpoints.get((method, known))
                if endpoint is not None:
                    return _without_secrets(endpoint(ActuatorRequest(last, body)))
                if allowed := [verb for verb, path in self._endpoints if path == known]:
                    head = ["HEAD"] if "GET" in allowed else []
                    raise MethodNotAllowed(method, [*allowed, *head])
            raise NotFound(f"There is no endpoint /actuator/{name}.")
        except Problem as problem:
            return _without_secrets(_problem_response(problem))

    def _index(self, _: ActuatorRequest) -> ActuatorResponse:
        return json_response(
            {
                "_links": {
                    path.replace(ANY, "-name"): {
                        "href": f"/actuator/{path.replace(ANY, '/{name}')}",
                        "templated": path.endswith(ANY),
                    }
                    for method, path in self._endpoints
                    if path and method == "GET"
                }
            }
        )

    def _health(self, only: set[str] | None) -> ActuatorResponse:
        document = self.health.document(only)
        return json_response(document, 200 if document["status"] == "UP" else 503)

    def _configuration_health(self) -> dict[str, Any]:
        refused, change = self._configuration.refused, self._configuration.changed
        details: dict[str, Any] = {"source": self._configuration.source}
        if change is not None:
            details["changed"] = {"at": rfc3339(change.at), "keys": list(change.keys)}
        return down(refused, **details) if refused else up(**details)

    def _workers_health(self) -> dict[str, Any]:
        failing = self._workers.failing()
        if failing:
            return down("; ".join(f"{name}: {error}" for name, error in failing.items()))
        return up(threads=self._workers.names())

    def _info(self, _: ActuatorRequest) -> ActuatorResponse:
        here = self._environment
        app = {"name": here.service, "instance": here.instance, "version": here.version}
        return json_response({"app": app, "process": {"pid": os.getpid()}})

    def _env(self, _: ActuatorRequest) -> ActuatorResponse:
        sources: dict[str, dict[str, Any]] = {}
        for key, (value, source) in self._configuration.flat.items():
            sources.setdefault(source, {})[key] = {"value": self._masked(key, value)}
        return json_response(
            {
                "activeProfiles": [self._environment.profile],
                "propertySources": [
                    {"name": name, "properties": properties} for name, properties in sources.items()
                ],
            }
        )

    def _env_of(self, request: ActuatorRequest) -> ActuatorResponse:
        """One key: its value, and the source that has won."""
        key = request.name
        if key not in self._configuration.flat:
            raise NotFound(f"No source has {key}.")
        value, source = self._configuration.flat[key]
        prop = {"source": source, "value": self._masked(key, value)}
        return json_response({"property": prop, "activeProfiles": [self._environment.profile]})

    def _configuration_metadata(self, _: ActuatorRequest) -> ActuatorResponse:
        """Every key that this process reads, in the shape of Spring's file of that name."""
        known = dict(metadata.properties(self._configuration.model))
        return json_response(
            {
                "properties": [
                    {"name": name, "defaultValue": self._masked(name, default)}
                    for name, default in sorted(known.items())
                ]
            }
        )

    def _masked(self, key: str, value: Any) -> Any:
        """Without secrets: by the key's name, or because it was encrypted where it is kept."""
        if SECRET.search(key) or key in self._configuration.encrypted:
            return MASK
        return PARAMETER.sub(rf"\1{MASK}", value) if isinstance(value, str) else value

    def _prometheus(self, _: ActuatorRequest) -> ActuatorResponse:
        return ActuatorResponse(self._metrics.exposition(), content_type=metrics.CONTENT_TYPE)


def _without_secrets(answer: ActuatorResponse) -> ActuatorResponse:
    """Also where a check or a rule quotes one."""
    text = answer.body.decode(errors="surrogateescape")
    body = masked(text).encode(errors="surrogateescape")
    return answer if body == answer.body else replace(answer, body=body)


def _problem_response(problem: Problem) -> ActuatorResponse:
    document = problem_details.document(problem, None)
    return ActuatorResponse(
        json.dumps(document).encode(),
        document["status"],
        problem_details.CONTENT_TYPE,
        problem_details.headers(problem),
    )

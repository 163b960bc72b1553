"""Whether a part is really healthy: asked, never assumed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from textwrap import shorten
from typing import Any
from urllib.parse import urlsplit

from fusebox.core.stack import Stack
from fusebox.core.topology import PARTS, Part, is_instance, part_of
from fusebox.network import http, kafka_admin, ports, postgres_probe
from fusebox.network.http import HttpResponse
from fusebox.runtime.driver import State
from fusebox.state import eureka_zone

LONGEST_ERROR = 100

SERVICES = tuple(part.name for part in PARTS if part.kind == "service")
# Those that call services for customers, and whose keys check the customers' tokens.
CALLERS = ("gateway", *SERVICES)
ISSUER = "user-service"


@dataclass(frozen=True)
class InstanceHealth:
    healthy: bool
    reason: str = ""


HEALTHY = InstanceHealth(True)
NOT_REGISTERED = "not registered with discovery"
SILENT = InstanceHealth(False, "does not answer")


@dataclass(frozen=True)
class Endpoint:
    """Where an instance listens; `canary` is its version when it is one.

    `since` tells it from the one that had its name before: Eureka's lastDirtyTimestamp.
    """

    host: str
    port: int
    canary: str = ""
    since: int = 0

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.port}"


def registered(stack: Stack) -> dict[str, Endpoint]:
    """Every instance that discovery knows, by its id; empty when discovery is away."""
    return _listed_by(eureka_zone.urls(stack).values()) or {}


def addresses(stack: Stack, states: Mapping[str, State]) -> dict[str, Endpoint]:
    """Where every service is: as discovery says, or while it is away as their sockets show."""
    awake = {
        name for name, instance in states.items() if instance.is_running and not instance.is_paused
    }
    listed = _listed_by(url for name, url in eureka_zone.urls(stack).items() if name in awake)
    if listed is not None:
        return listed
    sockets = {name: socket(stack, state) for name, state in states.items() if is_instance(name)}
    return {name: at for name, at in sockets.items() if at is not None}


def socket(stack: Stack, state: State) -> Endpoint | None:
    """Where the running instance `state` takes connections, asked of nobody but the machine."""
    part = part_of(state.instance)
    if not state.is_running:
        return None
    if state.host:
        return Endpoint(state.host, part.port_inside)
    if part.kind != "service":
        return _fixed(stack, state.instance)
    port = ports.listening_port(state.pid)
    return Endpoint(stack.host, port) if port else None


def _fixed(stack: Stack, instance: str) -> Endpoint:
    """Where a part is that takes no free port; each replica of discovery has one of its own."""
    url = eureka_zone.urls(stack).get(instance)
    if url is None:
        return Endpoint(*stack.address(part_of(instance).name))
    at = urlsplit(url)
    return Endpoint(str(at.hostname), at.port or 80)


def _listed_by(discoveries: Iterable[str]) -> dict[str, Endpoint] | None:
    """What the first replica that answers has; None when nobody does."""
    for url in discoveries:
        answer = http.get(f"{url}/eureka/apps")
        if answer.ok:
            return _registered(answer)
    return None


def _registered(answer: HttpResponse) -> dict[str, Endpoint]:
    applications = _listed(_field(_field(answer.json(), "applications"), "application"))
    listed = [instance for app in applications for instance in _listed(_field(app, "instance"))]
    return {
        instance["instanceId"]: _address(instance)
        for instance in listed
        if "instanceId" in instance
    }


def _field(value: Any, name: str) -> Any:
    return value.get(name) if isinstance(value, dict) else None


def _listed(value: Any) -> list[dict[str, Any]]:
    """Eureka writes a list of one as the thing itself."""
    if isinstance(value, dict):
        return [value]
    return value if isinstance(value, list) else []


def _address(instance: dict[str, Any]) -> Endpoint:
    port = _field(instance.get("port"), "$") or 0
    metadata = instance.get("metadata") or {}
    canary = str(metadata.get("version") or "?") if metadata.get("canary") == "true" else ""
    since = int(instance.get("lastDirtyTimestamp") or 0)
    return Endpoint(str(instance.get("ipAddr") or "127.0.0.1"), int(port), canary, since)


def address(stack: Stack, instance: str, known: dict[str, Endpoint]) -> Endpoint | None:
    """Where `instance` listens; a service's address stands in `known`."""
    part = part_of(instance)
    return known.get(instance) if part.kind == "service" else _fixed(stack, instance)


def verdict(stack: Stack, instance: str, states: Mapping[str, State]) -> InstanceHealth:
    """Ask `instance`, one of `states`, whether it is ready."""
    is_service = part_of(instance).kind == "service"
    return check(stack, instance, addresses(stack, states) if is_service else {})


def of_each_part(stack: Stack) -> dict[str, InstanceHealth]:
    """The first instance of every part, asked one after another: for a shop that is starting."""
    known = registered(stack)
    return {part.instance(): check(stack, part.instance(), known) for part in PARTS}


def check(stack: Stack, instance: str, known: dict[str, Endpoint]) -> InstanceHealth:
    """Ask `instance` whether it is ready; `known` is where the services are."""
    part = part_of(instance)
    at = address(stack, instance, known)
    if at is None:
        return InstanceHealth(False, NOT_REGISTERED)
    if part.is_ours:
        return _readiness(at)
    return HEALTHY if _answers(part, at) else SILENT


def _answers(part: Part, at: Endpoint) -> bool:
    if part.name == "postgres":
        return postgres_probe.accepts(at.host, at.port)
    if part.name == "kafka":
        return kafka_admin.answers(at.host, at.port)
    return http.get(f"{at.url}/health").ok


def _readiness(at: Endpoint) -> InstanceHealth:
    answer = http.get(f"{at.url}/actuator/health/readiness")
    body = answer.json()
    status = _field(body, "status")
    if answer.ok and status == "UP":
        return HEALTHY
    if answer.status == 0:
        return SILENT
    components = _field(body, "components") or {}
    wrong = [
        _described(name, component)
        for name, component in components.items()
        if _field(component, "status") != "UP"
    ]
    reason = f"readiness is {status or answer.status}"
    return InstanceHealth(False, f"{reason} ({', '.join(wrong)})" if wrong else reason)


def _described(name: str, component: Any) -> str:
    """A component with its error, as far as a line of a table has room for it."""
    error = _field(_field(component, "details"), "error")
    return f"{name}: {shorten(str(error), LONGEST_ERROR, placeholder='…')}" if error else name


def late_for(stack: Stack, instance: str, awake: Sequence[str]) -> list[str]:
    """Which of the callers `awake` do not list and reach `instance` yet; empty when all do."""
    known = registered(stack)
    at = known.get(instance)
    if at is None:
        return ["discovery"]
    callers = {
        name: _registry_of(caller.url)
        for name, caller in known.items()
        if name in awake and name != instance and _part(name) in CALLERS
    }
    late = [name for name, details in callers.items() if not _reaches(details, instance, at)]
    is_issuer_there = any(_part(name) == ISSUER for name in callers)
    if is_issuer_there and _keys(http.get(f"{at.url}/actuator/health")) == 0:
        late.append(f"{instance} itself, without the keys of {ISSUER}")
    return late


def _part(registered: str) -> str:
    """Anybody may have registered, under any name."""
    return registered.rpartition("-")[0]


def _registry_of(url: str) -> dict[str, Any] | None:
    """What the process at `url` knows of the others; None when it does not answer."""
    components = _field(http.get(f"{url}/actuator/health").json(), "components")
    details = _field(_field(components, "registry"), "details")
    return details if isinstance(details, dict) else None


def _reaches(details: dict[str, Any] | None, instance: str, at: Endpoint) -> bool:
    if details is None:
        return False
    # One of version 0.2 does not say.
    return "reached" not in details or _field(details["reached"], instance) == at.since


def _keys(answer: HttpResponse) -> Any:
    """How many public keys it has; None for the one that needs none of another."""
    components = _field(answer.json(), "components")
    return _field(_field(_field(components, "tokens"), "details"), "keys")


def without_key(stack: Stack, key_id: str, awake: Sequence[str]) -> list[str]:
    """Which of those `awake` who check tokens have no public key `key_id`; empty when all do."""
    known = registered(stack)
    return [
        name
        for name in awake
        if _part(name) in CALLERS and (name not in known or key_id not in _key_ids(known[name].url))
    ]


def _key_ids(url: str) -> list[str]:
    components = _field(http.get(f"{url}/actuator/health").json(), "components")
    ids = _field(_field(_field(components, "tokens"), "details"), "ids")
    return ids if isinstance(ids, list) else []


def shop_is_open(stack: Stack) -> bool:
    """Whether a first order will go through: who is ready may not know the others yet.

    Each is asked directly until all know all: questions through the gateway that fail would open
    its breakers, and keep the shop closed for as long as those stay open.
    """
    known = registered(stack)
    registered_services = [known.get(f"{name}-1") for name in SERVICES]
    urls = [stack.url("gateway"), *(at.url for at in registered_services if at)]
    return (
        None not in registered_services
        and all(map(_knows_the_others, urls))
        and _catalog_answers(stack)
    )


def _catalog_answers(stack: Stack) -> bool:
    return http.get(f"{stack.url('gateway')}/catalog-service/catalogs").ok


def _knows_the_others(url: str) -> bool:
    """Whether the process at `url` has found all services, and the keys to check tokens with."""
    answer = http.get(f"{url}/actuator/health")
    components = _field(answer.json(), "components") or {}
    services = _field(_field(components.get("registry"), "details"), "services") or []
    return set(SERVICES) <= set(services) and _keys(answer) != 0

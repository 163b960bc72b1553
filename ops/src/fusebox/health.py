"""Whether a part is really healthy: asked, never assumed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from fusebox import asking, databases, kafka
from fusebox.parts import PARTS, Part, part_of
from fusebox.stack import Stack

SERVICES = tuple(part.name for part in PARTS if part.kind == "service")


@dataclass(frozen=True)
class Verdict:
    healthy: bool
    reason: str = ""


@dataclass(frozen=True)
class Address:
    """Where discovery says that an instance listens."""

    host: str
    port: int

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.port}"


def registered(stack: Stack) -> dict[str, Address]:
    """Every instance that discovery knows, by its id; empty when discovery is away."""
    body = asking.get(f"{stack.url('discovery')}/eureka/apps").json()
    applications = _listed(_field(_field(body, "applications"), "application"))
    listed = [each for app in applications for each in _listed(_field(app, "instance"))]
    return {each["instanceId"]: _address(each) for each in listed if "instanceId" in each}


def _field(value: Any, name: str) -> Any:
    return value.get(name) if isinstance(value, dict) else None


def _listed(value: Any) -> list[dict[str, Any]]:
    """Eureka writes a list of one as the thing itself."""
    if isinstance(value, dict):
        return [value]
    return value if isinstance(value, list) else []


def _address(instance: dict[str, Any]) -> Address:
    port = _field(instance.get("port"), "$") or 0
    return Address(str(instance.get("ipAddr") or "127.0.0.1"), int(port))


def address(stack: Stack, instance: str, known: dict[str, Address]) -> Address | None:
    """Where `instance` listens; a service's only discovery knows."""
    part = part_of(instance)
    if part.kind == "service":
        return known.get(instance)
    return Address(stack.host, stack.port(part.name))


def check(stack: Stack, instance: str, known: dict[str, Address]) -> Verdict:
    """Ask `instance` whether it is ready; `known` is what discovery has registered."""
    part = part_of(instance)
    at = address(stack, instance, known)
    if at is None:
        return Verdict(False, "not registered with discovery")
    if part.is_ours:
        return _readiness(at)
    return Verdict(_answers(part, at), "does not answer")


def _answers(part: Part, at: Address) -> bool:
    if part.name == "postgres":
        return databases.accepts(at.host, at.port)
    if part.name == "kafka":
        return kafka.answers(at.host, at.port)
    return asking.get(f"{at.url}/health").ok


def _readiness(at: Address) -> Verdict:
    answer = asking.get(f"{at.url}/actuator/health/readiness")
    body = answer.json()
    status = _field(body, "status")
    if answer.ok and status == "UP":
        return Verdict(True)
    if answer.status == 0:
        return Verdict(False, "does not answer")
    components = _field(body, "components") or {}
    wrong = [name for name, each in components.items() if _field(each, "status") != "UP"]
    told = f"readiness is {status or answer.status}"
    return Verdict(False, f"{told} ({', '.join(wrong)})" if wrong else told)


def shop_is_open(stack: Stack) -> bool:
    """Whether a first order will go through: who is ready may not know the others yet.

    Each is asked directly until all know all: questions through the gateway that fail would open
    its breakers, and keep the shop closed for as long as those stay open.
    """
    known = registered(stack)
    told = [known.get(f"{name}-1") for name in SERVICES]
    urls = [stack.url("gateway"), *(at.url for at in told if at)]
    return None not in told and all(map(_knows_the_others, urls)) and _catalog_answers(stack)


def _catalog_answers(stack: Stack) -> bool:
    return asking.get(f"{stack.url('gateway')}/catalog-service/catalogs").ok


def _knows_the_others(url: str) -> bool:
    """Whether the process at `url` has found all services, and the keys to check tokens with."""
    components = _field(asking.get(f"{url}/actuator/health").json(), "components") or {}
    found = _field(_field(components.get("registry"), "details"), "services") or []
    tokens = _field(_field(components.get("tokens"), "details"), "keys")
    return set(SERVICES) <= set(found) and tokens != 0

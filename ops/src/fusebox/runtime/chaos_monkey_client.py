"""What the chaos monkey in a process of ours is told, and what it says that it does."""

from __future__ import annotations

from typing import Any

from fusebox.core.errors import Fault
from fusebox.network.http import HttpResponse
from fusebox.runtime.actuator_client import ActuatorClient

PAGE = "chaosmonkey"
NO_ASSAULT = {"latencyActive": False, "exceptionsActive": False, "killAt": None}


def latency(milliseconds: int) -> dict[str, Any]:
    """Every request waits so long."""
    return {
        "level": 1,
        "latencyActive": True,
        "latencyRangeStart": milliseconds,
        "latencyRangeEnd": milliseconds,
    }


def exceptions(rate: float) -> dict[str, Any]:
    """The share `rate` of all requests fails."""
    return {"exceptionsActive": rate > 0, "exceptionRate": rate}


def assault(actuator: ActuatorClient, instance: str, assaults: dict[str, Any]) -> None:
    """Set `assaults` and let the monkey loose; raises Fault when `instance` does not take it."""
    _refuse(instance, actuator.post(f"{PAGE}/assaults", assaults))
    _refuse(instance, actuator.post(f"{PAGE}/enable"))


def calm(actuator: ActuatorClient, instance: str) -> list[str]:
    """Take every assault off; returns what was under way."""
    answer = actuator.get(PAGE)
    if answer.status == 404:
        return []
    _refuse(instance, answer)
    under_way = read(actuator)
    if under_way:
        _refuse(instance, actuator.post(f"{PAGE}/assaults", NO_ASSAULT))
    return under_way


def read(actuator: ActuatorClient) -> list[str]:
    """The assaults that are under way, each in a few words."""
    page = actuator.page(PAGE)
    properties = page.get("chaosMonkeyProperties") or {}
    return described(page.get("assaultProperties") or {}) if properties.get("enabled") else []


def described(assaults: dict[str, Any]) -> list[str]:
    active = []
    if assaults.get("latencyActive"):
        active.append(f"slow {_latency(assaults)}")
    if assaults.get("exceptionsActive"):
        active.append(f"fail {100 * float(assaults.get('exceptionRate') or 0):g} %")
    if assaults.get("killAt"):
        active.append(f"kill at {assaults['killAt']}")
    return active


def _latency(assaults: dict[str, Any]) -> str:
    shortest, longest = assaults.get("latencyRangeStart"), assaults.get("latencyRangeEnd")
    level = int(assaults.get("level") or 1)
    range_ = f"{shortest} ms" if shortest == longest else f"{shortest} to {longest} ms"
    return range_ if level == 1 else f"{range_}, 1 request in {level}"


def _refuse(instance: str, answer: HttpResponse) -> None:
    if answer.ok:
        return
    raise Fault(f"{instance} {_refusal(answer)}", remedy=_remedy(answer, instance))


def _refusal(answer: HttpResponse) -> str:
    if answer.status == 0:
        return "does not answer"
    if answer.status == 404:
        return "takes no faults: `chaos.monkey.enabled` is not true in its configuration"
    body = answer.json()
    detail = body.get("detail") if isinstance(body, dict) else None
    return f"has refused the fault with {answer.status}" + (f": {detail}" if detail else "")


def _remedy(answer: HttpResponse, instance: str) -> str:
    if answer.status == 404:
        return "set it in config/application.yml, and start the part again."
    return f"see `make status` and `make logs SERVICE={instance.rpartition('-')[0]}`."

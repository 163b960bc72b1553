"""Asks discovery who is registered."""

from __future__ import annotations

from typing import Any

from panel.model.facts import Registration


def registrations(document: Any) -> tuple[Registration, ...]:
    """Of Eureka's list of all applications; who is listed without an address is left out."""
    applications = document.get("applications", {}).get("application", [])
    listed = [one for app in _listed(applications) for one in _listed(app.get("instance", []))]
    return tuple(
        sorted((_registration(one) for one in listed), key=lambda registered: registered.instance)
    )


def _listed(value: Any) -> list[dict[str, Any]]:
    """Eureka writes a list of one as the thing itself."""
    return [value] if isinstance(value, dict) else list(value)


def _registration(listed: dict[str, Any]) -> Registration:
    metadata = listed.get("metadata") or {}
    return Registration(
        instance=str(listed.get("instanceId")),
        service=str(listed.get("app", "")).lower(),
        host=str(listed.get("ipAddr")),
        port=int((listed.get("port") or {}).get("$", 0)),
        version=metadata.get("version"),
        canary=metadata.get("canary") == "true",
    )

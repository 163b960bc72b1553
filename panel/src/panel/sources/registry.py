"""Who is registered, as the copy of the registry has it that every process keeps."""

from __future__ import annotations

from chassis.discovery.instances import Instance, Snapshot
from panel.model.facts import Registration


def registrations(snapshot: Snapshot) -> tuple[Registration, ...]:
    listed = (instance for instances in snapshot.values() for instance in instances)
    return tuple(sorted(map(_registration, listed), key=lambda registered: registered.instance))


def _registration(instance: Instance) -> Registration:
    return Registration(
        instance=instance.id,
        service=instance.service,
        host=instance.host,
        port=instance.port,
        version=instance.metadata.get("version"),
        canary=instance.is_canary,
    )

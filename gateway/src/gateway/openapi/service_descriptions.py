"""What the services say of their operations: asked for when other instances come, and remembered.

Of a service that is away the last that it said stays, marked as such.
"""

import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from chassis.core.errors import Problem
from chassis.discovery.instances import Instance, Snapshot

log = logging.getLogger(__name__)

LOOK_SECONDS = 1.0
RETRY_SECONDS = 5.0
# Raises Problem; None of a service that has no description, as a foreign one may.
Fetch = Callable[[str], dict[str, Any] | None]


@dataclass(frozen=True)
class ServiceDescription:
    """`document` is None of a service that describes nothing."""

    document: Mapping[str, Any] | None
    is_current: bool = True


class ServiceDescriptions:
    """`run` is the thread that asks.  `known` is replaced as a whole, never changed."""

    def __init__(self, instances: Callable[[], Snapshot], fetch: Fetch) -> None:
        self._instances = instances
        self._fetch = fetch
        self._described_by: dict[str, frozenset[Instance]] = {}
        self.known: Mapping[str, ServiceDescription] = {}

    def run(self, stop: threading.Event) -> None:
        while not stop.wait(LOOK_SECONDS):
            if not self.look():
                stop.wait(RETRY_SECONDS)

    def look(self) -> bool:
        """False when a service could not be asked, and is to be asked again."""
        known, is_complete = dict(self.known), True
        snapshot = self._instances()
        for service, instances in snapshot.items():
            if self._described_by.get(service) == frozenset(instances):
                continue
            try:
                known[service] = ServiceDescription(_checked(self._fetch(service)))
                self._described_by[service] = frozenset(instances)
            except Problem as problem:
                log.info("%s could not be asked for its description: %s", service, problem)
                is_complete = False
                known |= _as_last_known(known, service)
        for service in known.keys() - snapshot.keys():
            known |= _as_last_known(known, service)
            self._described_by.pop(service, None)
        if known != self.known:
            self.known = known
        return is_complete


def _as_last_known(
    known: Mapping[str, ServiceDescription], service: str
) -> dict[str, ServiceDescription]:
    if service not in known:
        return {}
    return {service: replace(known[service], is_current=False)}


def _checked(document: Any) -> dict[str, Any] | None:
    """As far as it is read here; whoever registers may say anything."""
    if not (isinstance(document, dict) and isinstance(document.get("paths"), dict)):
        return None
    operations = [
        operation
        for path in document["paths"].values()
        for operation in (path.values() if isinstance(path, dict) else [None])
    ]
    is_whole = all(
        isinstance(operation, dict)
        and isinstance(operation.get("operationId"), str)
        and isinstance(operation.get("responses"), dict)
        for operation in operations
    )
    return document if is_whole else None

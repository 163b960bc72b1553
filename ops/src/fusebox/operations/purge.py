"""`purge`: what has had its time is deleted now, and not at the next sweep of its service."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from fusebox.core.errors import Fault
from fusebox.core.stack import Stack
from fusebox.core.topology import SERVICES, is_instance
from fusebox.operations.drivers import running_driver
from fusebox.runtime.actuator_client import ActuatorClient

PAGE = "housekeeping"
NO_SUCH_PAGE = 404


@dataclass(frozen=True)
class PurgedRows:
    """How many rows of a table have gone, as they were older than `keep`."""

    service: str
    table: str
    rows: int
    keep: timedelta


def purge(stack: Stack) -> list[PurgedRows]:
    """A line for each table.  Raises Fault when a service does not run or does not do it."""
    purged: list[PurgedRows] = []
    clients = _clients(stack)
    for service in SERVICES:
        if service.database:
            purged += _purge(service.name, clients.get(service.name))
    return purged


def _clients(stack: Stack) -> dict[str, ActuatorClient]:
    """One instance of each service: they have one database."""
    states = running_driver(stack).states().items()
    clients = {
        name.rpartition("-")[0]: ActuatorClient.at(stack, state)
        for name, state in sorted(states)
        if is_instance(name) and state.is_running and not state.is_paused
    }
    return {service: client for service, client in clients.items() if client}


def _purge(service: str, client: ActuatorClient | None) -> Iterator[PurgedRows]:
    if client is None:
        raise Fault(f"{service} is not running", remedy=f"make start SERVICE={service}, and again.")
    rows: dict[str, int] = {}
    while True:
        answer = client.post(PAGE)
        if answer.status == NO_SUCH_PAGE:  # a service of the reader's own, which keeps all it has
            return
        document = answer.json()
        if not answer.ok or not isinstance(document, dict):
            raise Fault(
                f"{service} did not purge its tables (HTTP {answer.status})",
                remedy=f"make logs SERVICE={service} says why; what is done is done.",
            )
        tables: dict[str, dict[str, Any]] = document["tables"]
        for name, table in tables.items():
            rows[name] = rows.get(name, 0) + int(table["removed"])
        if document["done"]:
            break
    for name, removed in rows.items():
        yield PurgedRows(service, name, removed, timedelta(seconds=tables[name]["keepSeconds"]))

"""One goes upstream for all who want the same; the others wait for what it brings."""

import asyncio
from collections.abc import Hashable
from types import TracebackType
from typing import Generic, TypeVar

from chassis.core.errors import DeadlineOver, Problem

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Abandoned(Exception):
    """Whoever went gave up on its own account: another is to go."""


class Flight(Generic[K, V]):
    """Entered by the one who goes; it ends with what was landed, or with why nothing was."""

    def __init__(self, flights: "Flights[K, V]", key: K) -> None:
        self._flights = flights
        self._key = key
        self._landed: asyncio.Future[V | None] = asyncio.get_running_loop().create_future()

    def land(self, value: V | None) -> None:
        """What all may have; None when it was for nobody else."""
        self._flights.ended(self._key, self)
        if not self._landed.done():
            self._landed.set_result(value)

    async def landed(self) -> V | None:
        """What was landed.  Raises the Problem that kept it from it, or Abandoned."""
        # Shielded: one who waits no longer must not end it for the others.
        return await asyncio.shield(self._landed)

    def __enter__(self) -> "Flight[K, V]":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._flights.ended(self._key, self)
        if not self._landed.done():
            # A deadline is one client's own, and so is its going away.
            shared = isinstance(error, Problem) and not isinstance(error, DeadlineOver)
            self._landed.set_exception(error if shared and error else Abandoned())
            self._landed.exception()  # nobody may be waiting, and that is all right


class Flights(Generic[K, V]):
    """Those under way, by what is wanted.  For one event loop."""

    def __init__(self) -> None:
        self._under_way: dict[K, Flight[K, V]] = {}

    def board(self, key: K) -> tuple[Flight[K, V], bool]:
        """The flight for `key`, and whether the caller is to go, and so to enter it."""
        known = self._under_way.get(key)
        if known is not None:
            return known, False
        made = self._under_way[key] = Flight(self, key)
        return made, True

    def ended(self, key: K, flight: Flight[K, V]) -> None:
        # Landed before it is left, it may have been followed by another.
        if self._under_way.get(key) is flight:
            del self._under_way[key]

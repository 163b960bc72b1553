"""Request coalescing (Go's singleflight): one goes upstream for all who want the same."""

import asyncio
from collections.abc import Hashable
from types import TracebackType
from typing import Generic, TypeVar

from chassis.core.errors import DeadlineOver, Problem

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Abandoned(Exception):
    """Whoever went gave up on its own account: another is to go."""


class SharedCall(Generic[K, V]):
    """Entered by the one who goes; it ends with what was shared, or with why nothing was."""

    def __init__(self, coalescing: "RequestCoalescing[K, V]", key: K) -> None:
        self._coalescing = coalescing
        self._key = key
        self._result: asyncio.Future[V | None] = asyncio.get_running_loop().create_future()

    def share(self, value: V | None) -> None:
        """What all may have; None when it was for nobody else."""
        self._coalescing.ended(self._key, self)
        if not self._result.done():
            self._result.set_result(value)

    async def result(self) -> V | None:
        """What was shared.  Raises the Problem that kept it from it, or Abandoned."""
        # Shielded: one who waits no longer must not end it for the others.
        return await asyncio.shield(self._result)

    def __enter__(self) -> "SharedCall[K, V]":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._coalescing.ended(self._key, self)
        if not self._result.done():
            # A deadline is one client's own, and so is its going away.
            shared = isinstance(error, Problem) and not isinstance(error, DeadlineOver)
            self._result.set_exception(error if shared and error else Abandoned())
            self._result.exception()  # nobody may be waiting, and that is all right


class RequestCoalescing(Generic[K, V]):
    """Those under way, by what is wanted.  For one event loop."""

    def __init__(self) -> None:
        self._under_way: dict[K, SharedCall[K, V]] = {}

    def join(self, key: K) -> tuple[SharedCall[K, V], bool]:
        """The shared call for `key`, and whether the caller is to go, and so to enter it."""
        known = self._under_way.get(key)
        if known is not None:
            return known, False
        made = self._under_way[key] = SharedCall(self, key)
        return made, True

    def ended(self, key: K, call: SharedCall[K, V]) -> None:
        # Shared before it is left, it may have been followed by another.
        if self._under_way.get(key) is call:
            del self._under_way[key]

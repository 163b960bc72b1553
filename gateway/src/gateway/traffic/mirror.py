"""Sends copies of requests to another service, and lets nobody wait for what it says."""

import asyncio
import random
from collections.abc import Callable

from chassis.core.errors import Problem
from gateway.routing.exchange import Ask, Errand
from gateway.routing.filters import Shadow

# A slow shadow must not fill the memory of what it is the shadow of.
MOST_UNDER_WAY = 64


class Mirror:
    """For one event loop."""

    def __init__(self, lot: Callable[[], float] = random.random) -> None:
        self._lot = lot
        self._under_way: set[asyncio.Task[None]] = set()
        self.sent = 0
        self.dropped = 0

    def consider(self, shadow: Shadow, errand: Errand, ask: Ask) -> None:
        """Send `errand` to the shadow as well, if the lot falls on it and there is room."""
        if not shadow.takes(errand.seen.method, self._lot()):
            return
        if len(self._under_way) >= MOST_UNDER_WAY:
            self.dropped += 1
            return
        self.sent += 1
        task = asyncio.create_task(_send(errand._replace(target=shadow.target), ask))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

    async def close(self) -> None:
        for task in self._under_way:
            task.cancel()
        await asyncio.gather(*self._under_way, return_exceptions=True)


async def _send(errand: Errand, ask: Ask) -> None:
    try:
        (await ask(errand)).drop()
    except Problem:
        return  # a shadow's troubles are its own

"""Sends copies of requests to another service, and lets nobody wait for what it says."""

import asyncio
import random
from collections.abc import Callable

from chassis.core.errors import Problem
from gateway.routing.exchange import Exchange, Handler
from gateway.routing.filters import MirrorTarget

# A slow target must not fill the memory of what it mirrors.
MOST_UNDER_WAY = 64


class Mirror:
    """For one event loop."""

    def __init__(self, random_draw: Callable[[], float] = random.random) -> None:
        self._random_draw = random_draw
        self._under_way: set[asyncio.Task[None]] = set()
        self.sent = 0
        self.dropped = 0

    def consider(self, mirror: MirrorTarget, exchange: Exchange, ask: Handler) -> None:
        """Send a copy, if the random draw falls on it and there is room."""
        if not mirror.takes(exchange.view.method, self._random_draw()):
            return
        if len(self._under_way) >= MOST_UNDER_WAY:
            self.dropped += 1
            return
        self.sent += 1
        task = asyncio.create_task(_send(exchange._replace(target=mirror.target), ask))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

    async def close(self) -> None:
        for task in self._under_way:
            task.cancel()
        await asyncio.gather(*self._under_way, return_exceptions=True)


async def _send(exchange: Exchange, ask: Handler) -> None:
    try:
        (await ask(exchange)).drop()
    except Problem:
        return  # a mirror's troubles are its own

"""Sends copies of requests to another service, and lets nobody wait for what it says."""

import asyncio
import random
from collections.abc import Awaitable, Callable

from chassis.core.errors import Problem
from gateway.routing.exchange import Exchange, GatewayResponse, Handler
from gateway.routing.filters.targets import MirrorTarget

# A slow target must not fill the memory of what it mirrors.
MOST_UNDER_WAY = 64


class Mirror:
    """For one event loop.  `forward` calls a service; no filter sees a copy."""

    def __init__(self, forward: Handler, random_draw: Callable[[], float] = random.random) -> None:
        self._forward = forward
        self._random_draw = random_draw
        self._under_way: set[asyncio.Task[None]] = set()
        self.sent = 0
        self.dropped = 0

    def filter(self, exchange: Exchange, proceed: Handler) -> Awaitable[GatewayResponse]:
        target = exchange.route.mirror
        if target and exchange.is_repeatable and not exchange.view.is_endless:
            self.consider(target, exchange)
        return proceed(exchange)

    def consider(self, mirror: MirrorTarget, exchange: Exchange) -> None:
        """Send a copy, if the random draw falls on it and there is room."""
        if not mirror.takes(exchange.view.method, self._random_draw()):
            return
        if len(self._under_way) >= MOST_UNDER_WAY:
            self.dropped += 1
            return
        self.sent += 1
        task = asyncio.create_task(self._send(exchange.to(mirror.target)))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

    async def close(self) -> None:
        for task in self._under_way:
            task.cancel()
        await asyncio.gather(*self._under_way, return_exceptions=True)

    async def _send(self, exchange: Exchange) -> None:
        try:
            (await self._forward(exchange)).drop()
        except Problem:
            return  # a mirror's troubles are its own

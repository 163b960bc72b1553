"""One set of polls, however many look on: often while somebody does, seldom while nobody does."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress

from aiohttp import ClientError

from fusebox.core.stack import Stack
from panel.model.facts import Facts
from panel.settings import PanelSection
from panel.sources import shop
from panel.sources.actuators import ActuatorReader
from panel.sources.registry import registrations

# Who asks for the state is taken to look on for so long.
INTEREST_SECONDS = 15.0


class ShopWatch:
    """Keeps `facts` up to date and calls `on_change` after each poll.  Lives on the event loop."""

    def __init__(
        self, stack: Stack, settings: Callable[[], PanelSection], on_change: Callable[[], None]
    ) -> None:
        self.facts = Facts(shop.parts(stack))
        self.viewers = 0
        self._discovery = stack.url("discovery")
        self._settings = settings
        self._on_change = on_change
        self._interest_until = 0.0
        self._woken = asyncio.Event()

    def show_interest(self) -> None:
        self._interest_until = time.monotonic() + INTEREST_SECONDS
        self._woken.set()

    @property
    def is_watched(self) -> bool:
        return self.viewers > 0 or time.monotonic() < self._interest_until

    async def run(self) -> None:
        actuators = ActuatorReader()
        try:
            while True:
                await self._poll(actuators)
                await self._pause()
        finally:
            await actuators.close()

    async def _pause(self) -> None:
        settings = self._settings()
        self._woken.clear()
        with suppress(TimeoutError):
            if self.is_watched:
                await asyncio.sleep(settings.poll_seconds)
            else:
                await asyncio.wait_for(self._woken.wait(), settings.idle_poll_seconds)

    async def _poll(self, actuators: ActuatorReader) -> None:
        with suppress(ClientError, TimeoutError, ValueError):
            self.facts.registry = registrations(
                await actuators.page(f"{self._discovery}/eureka/apps")
            )
            self.facts.registry_at = time.time()
        await asyncio.gather(
            *(self._look(actuators, one.instance, one.url) for one in self.facts.registry)
        )

    async def _look(self, actuators: ActuatorReader, instance: str, url: str) -> None:
        self.facts.pages[instance] = await actuators.pages(url)
        self._on_change()

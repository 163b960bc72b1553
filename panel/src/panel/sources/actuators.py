"""Asks the processes of ours at their actuators, each with a time limit of its own."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from aiohttp import ClientError, ClientSession, ClientTimeout

from panel.model.facts import Pages

TIMEOUT = ClientTimeout(total=1.5, connect=0.5)
# Of calls that come once a second no trace is kept.
HEADERS = {"b3": "0", "Accept": "application/json"}


class ActuatorReader:
    """Made on the event loop."""

    def __init__(self) -> None:
        self._session = ClientSession(timeout=TIMEOUT, headers=HEADERS, trust_env=False)

    async def close(self) -> None:
        await self._session.close()

    async def pages(self, url: str) -> Pages:
        """Health and circuit breakers of the process at `url`; why not, when it does not answer."""
        try:
            health, breakers = await asyncio.gather(
                self.page(f"{url}/actuator/health"), self.page(f"{url}/actuator/circuitbreakers")
            )
        except (ClientError, TimeoutError, ValueError) as error:
            return Pages(time.time(), error=_reason(error))
        return Pages(time.time(), health, breakers.get("circuitBreakers", {}))

    async def page(self, url: str) -> dict[str, Any]:
        async with self._session.get(url) as response:
            document = await response.json(content_type=None)
            return document if isinstance(document, dict) else {}


def _reason(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return "does not answer in time"
    return "takes no connections" if isinstance(error, ClientError) else "answers no JSON"

"""Asks a process of ours at its actuator, each page with a time limit of its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from aiohttp import ClientConnectionError, ClientError, ClientSession, ClientTimeout

# With the pause between two polls it stays below two seconds.
ANSWER_SECONDS = 0.6
# Figures may come later than whether it answers.
FIGURES_SECONDS = 2.0
# Of calls that come once a second no trace is kept.
HEADERS = {"b3": "0", "Accept": "application/json"}

# The headers that show a part of this name who asks.
Credentials = Callable[[str], Mapping[str, str]]


class Silent(Exception):
    """It did not answer; the text says in what way."""


class ActuatorReader:
    """Made on the event loop."""

    def __init__(self, credentials: Credentials) -> None:
        self._credentials = credentials
        self._session = ClientSession(headers=HEADERS, trust_env=False)

    async def close(self) -> None:
        await self._session.close()

    async def json(self, part: str, url: str, seconds: float = ANSWER_SECONDS) -> dict[str, Any]:
        """The JSON object at `url`, whatever its status.  Raises Silent."""
        timeout = ClientTimeout(total=seconds)
        try:
            async with self._session.get(
                url, headers=self._credentials(part), timeout=timeout
            ) as response:
                document = await response.json(content_type=None)
        except (ClientError, TimeoutError, ValueError, OSError) as error:
            raise Silent(_reason(error, seconds)) from error
        return document if isinstance(document, dict) else {}

    async def text(self, part: str, url: str) -> str:
        """Raises Silent, also for a refusal."""
        timeout = ClientTimeout(total=FIGURES_SECONDS)
        try:
            async with self._session.get(
                url, headers=self._credentials(part), timeout=timeout, raise_for_status=True
            ) as response:
                return await response.text()
        except (ClientError, TimeoutError, ValueError, OSError) as error:
            raise Silent(_reason(error, FIGURES_SECONDS)) from error


def _reason(error: Exception, seconds: float) -> str:
    if isinstance(error, TimeoutError):
        return f"does not answer within {seconds:g} s"
    if isinstance(error, ClientConnectionError | OSError):
        return "takes no connections"
    return "gives no proper answer"

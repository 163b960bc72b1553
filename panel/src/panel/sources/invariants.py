"""What `make verify` finds, from time to time and only when something may have changed."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from panel.model.picture import rfc3339
from panel.settings import FUSEBOX

# It reads the stores whole: it may take this share of the time.
SHARE = 0.02
LEAST_SECONDS = 15.0
TIMEOUT_SECONDS = 60.0
LONGEST_FIGURES = 300


@dataclass(frozen=True)
class CheckedInvariants:
    """As the page shows them, and the rows of each service's outbox."""

    findings: list[dict[str, Any]]
    outboxes: dict[str, int]


class InvariantCheck:
    """`version` changes with what moves in the shop."""

    def __init__(self, environment: Mapping[str, str], version: Callable[[], object]) -> None:
        self._environment = environment
        self._version = version
        self._checked: object = None
        self._next = 0.0

    def is_due(self) -> bool:
        return time.monotonic() >= self._next and self._version() != self._checked

    async def check(self) -> CheckedInvariants | None:
        """None when the stores cannot be read."""
        version, began = self._version(), time.monotonic()
        findings = _findings(await self._verify())
        self._next = time.monotonic() + max(LEAST_SECONDS, (time.monotonic() - began) / SHARE)
        if findings is not None:
            self._checked = version
        return findings

    async def _verify(self) -> bytes:
        process = await asyncio.create_subprocess_exec(
            FUSEBOX,
            "verify",
            "--json",
            env=dict(self._environment),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
        try:
            async with asyncio.timeout(TIMEOUT_SECONDS):
                output, _ = await process.communicate()
        except TimeoutError:
            return b""
        finally:
            with suppress(ProcessLookupError):
                process.kill()
        return output


def _findings(output: bytes) -> CheckedInvariants | None:
    try:
        document = json.loads(output)
    except ValueError:
        return None
    at = rfc3339(time.time())
    findings = [
        {
            "name": invariant["name"],
            "holds": invariant["holds"],
            "figures": _figures(invariant),
            "at": at,
        }
        for invariant in document["invariants"]
    ]
    [outboxes] = [
        invariant["figures"]
        for invariant in document["invariants"]
        if invariant["name"].startswith("outboxes")
    ]
    return CheckedInvariants(findings, outboxes)


def _figures(invariant: Mapping[str, Any]) -> str:
    shown = invariant["offenders"] or [
        f"{name}: {value}" for name, value in invariant["figures"].items()
    ]
    text = ", ".join(shown)
    return text if len(text) <= LONGEST_FIGURES else f"{text[:LONGEST_FIGURES]}…"

"""Which instance of a service is its canary, and its share: for as long as the shop is up."""

from __future__ import annotations

import re
from collections.abc import Container
from pathlib import Path

from fusebox.core.files import write_whole
from fusebox.core.stack import Stack
from fusebox.core.topology import SERVICES, Part
from fusebox.state import config_overlay

ROUTER = "gateway"
KEYS = "fusebox.gateway.canaries"
SET_BY_US = ("weight", "sticky", "attempt")


def canary(stack: Stack, part: Part, instances: Container[str]) -> str | None:
    """The canary of `part` among the `instances` that there are."""
    file = _file(stack, part)
    name = file.read_text() if file.exists() else ""
    return name if name in instances else None


def mark(stack: Stack, part: Part, instance: str) -> None:
    write_whole(_file(stack, part), instance.encode())


def unmark(stack: Stack, part: Part) -> None:
    _file(stack, part).unlink(missing_ok=True)


def weight(stack: Stack, part: Part) -> str:
    """Its share in per cent, as the gateway was told; empty when it was not."""
    properties = config_overlay.read(config_overlay.file(stack, ROUTER))
    return properties.get(f"{KEYS}.{part.name}.weight", "")


def forget(stack: Stack) -> None:
    for part in SERVICES:
        unmark(stack, part)


def forget_shares(stack: Stack) -> None:
    """Take back what the gateway was told of canaries."""
    ours = re.compile(rf"{re.escape(KEYS)}\..*\.({'|'.join(SET_BY_US)})")
    config_overlay.forget(stack, ROUTER, ours)


def _file(stack: Stack, part: Part) -> Path:
    return stack.run / f"{part.name}.canary"

"""What was set by hand: properties files of this stack, which win over the clone's `config/`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from fusebox.core.files import write_whole
from fusebox.core.stack import Stack

SHARED = "application"
LINE = re.compile(r"^([^#=\s]+)=(.*)$", re.MULTILINE)


def file(stack: Stack, service: str | None = None) -> Path:
    """The file of all processes, or of one service."""
    return stack.config / f"{service or SHARED}.properties"


def read(path: Path) -> dict[str, str]:
    return dict(LINE.findall(path.read_text())) if path.exists() else {}


def change(path: Path, values: Mapping[str, str | None]) -> None:
    """Give keys their values; None takes one back."""
    properties = {**read(path), **values}
    lines = [f"{name}={value}\n" for name, value in sorted(properties.items()) if value is not None]
    write_whole(path, "".join(lines).encode())


def forget(path: Path, keys: re.Pattern[str]) -> None:
    """Take back all that fit `keys`."""
    gone = dict.fromkeys(name for name in read(path) if keys.fullmatch(name))
    if gone:
        change(path, gone)

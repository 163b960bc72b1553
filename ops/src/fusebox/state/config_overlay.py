"""What was set by hand: properties files of this stack, which win over the clone's `config/`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from fusebox.core.files import locked, write_whole
from fusebox.core.stack import Stack

SHARED = "application"
LINE = re.compile(r"^([^#=\s]+)=(.*)$", re.MULTILINE)


def file(stack: Stack, service: str | None = None) -> Path:
    """The file of all processes, or of one service."""
    return stack.config / f"{service or SHARED}.properties"


def read(path: Path) -> dict[str, str]:
    return dict(LINE.findall(path.read_text())) if path.exists() else {}


@contextmanager
def alone(stack: Stack) -> Iterator[None]:
    """Who reads a file, changes it and writes it waits for who does so already."""
    with locked(stack.run / "config-overlay.lock"):
        yield


def change(path: Path, values: Mapping[str, str | None]) -> None:
    """Give keys their values; None takes one back.  Call it while you are `alone`."""
    properties = {**read(path), **values}
    lines = [f"{name}={value}\n" for name, value in sorted(properties.items()) if value is not None]
    write_whole(path, "".join(lines).encode())


def forget(stack: Stack, service: str | None, keys: re.Pattern[str]) -> None:
    """Take back all that fit `keys` in the file of `service`, or of all."""
    path = file(stack, service)
    with alone(stack):
        gone = dict.fromkeys(name for name in read(path) if keys.fullmatch(name))
        if gone:
            change(path, gone)


def set_by_hand(stack: Stack) -> dict[str, dict[str, str]]:
    """All that is set, by the service that it is for; `application` stands for all of them."""
    files = sorted(stack.config.glob("*.properties"))
    return {path.stem: properties for path in files if (properties := read(path))}

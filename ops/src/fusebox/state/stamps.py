"""Remembers what was done to the stores and by which version, so that it is done once."""

from __future__ import annotations

import hashlib
from importlib.util import find_spec
from pathlib import Path

from fusebox.core.errors import Fault
from fusebox.core.files import write_whole
from fusebox.core.stack import Stack
from fusebox.core.topology import Part


def version_of(part: Part) -> str:
    """A digest of the service's code, its migrations included, and of what runs them."""
    digest = hashlib.sha256()
    for package in (part.module, "chassis"):
        for path in sorted(_folder(package).rglob("*.py")):
            digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def _folder(package: str) -> Path:
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        raise Fault(f"the package {package} is not installed", remedy="run `make up`.")
    return Path(spec.origin).parent


def is_done(stack: Stack, name: str, version: str) -> bool:
    stamp = _folder_of(stack) / name
    return stamp.exists() and stamp.read_text() == version


def remember(stack: Stack, name: str, version: str) -> None:
    _folder_of(stack).mkdir(exist_ok=True)
    write_whole(_folder_of(stack) / name, version.encode())


def forget(stack: Stack, *names: str) -> None:
    """What was done to a store is gone with it."""
    for name in names:
        (_folder_of(stack) / name).unlink(missing_ok=True)


def _folder_of(stack: Stack) -> Path:
    return stack.data / "done"

"""From nothing to a confirmed order: a clone, an empty home, every download."""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from bench.harness.stack_under_test import (
    free_offset,
    output_of,
    own_environment,
    paste_order,
)

# What would lead to caches and environments of this user's.
OF_THIS_USER = ("VIRTUAL_ENV", "PYTHONPATH", "PYTHONHOME", "PIP_CACHE_DIR", "UV_CACHE_DIR")


def measure(repository: Path) -> float:
    """Seconds from `git clone` of what is committed to the confirmation of the printed order."""
    # Not what `make` resolves: it puts this clone's own environment first.
    python = f"PYTHON={Path(sys.executable).resolve()}"
    with _nothing() as (folder, environment):
        clone = folder / "clone"
        began = time.monotonic()
        source = str(repository)
        output_of(["git", "clone", "--quiet", source, str(clone)], environment, folder)
        try:
            welcome = output_of(["make", "--silent", "up", python], environment, clone)
            paste_order(welcome, environment, clone)
            return time.monotonic() - began
        finally:
            _end(clone, environment)


@contextmanager
def _nothing() -> Iterator[tuple[Path, dict[str, str]]]:
    folder = Path(tempfile.mkdtemp(prefix="fusebox-fresh-"))
    try:
        (folder / "home").mkdir()
        yield folder, _as_newcomer(folder, os.environ)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _as_newcomer(folder: Path, environment: Mapping[str, str]) -> dict[str, str]:
    own = {
        name: value
        for name, value in environment.items()
        if name not in OF_THIS_USER and not name.startswith("XDG_")
    }
    own["HOME"] = str(folder / "home")
    own["PATH"] = _without(str(Path(sys.prefix) / "bin"), own.get("PATH", os.defpath))
    return own_environment(folder / "clone" / ".fusebox-bench", free_offset(), own)


def _without(folder: str, path: str) -> str:
    return os.pathsep.join(entry for entry in path.split(os.pathsep) if entry != folder)


def _end(clone: Path, environment: Mapping[str, str]) -> None:
    """Whatever state it is in: an installation that was cut short has no command yet."""
    fusebox = clone / ".venv" / "bin" / "fusebox"
    for verb in (["down"], ["clean", "--yes"]) if fusebox.exists() else ():
        subprocess.run([fusebox, *verb], env=environment, stdout=subprocess.DEVNULL, check=False)

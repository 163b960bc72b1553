"""The logs of containers, which the engine keeps."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from fusebox.core.errors import Fault
from fusebox.core.stack import Stack
from fusebox.docker import compose
from fusebox.docker.containers import Containers


def follow(stack: Stack, part: str | None, goes_on: bool, lines: int) -> None:
    """Let compose write them to this process' output, until it is interrupted if it `goes_on`."""
    options = ["--follow"] if goes_on else []
    names = [part] if part else []
    command = compose.compose_command(stack, "logs", f"--tail={lines}", *options, *names)
    with suppress(KeyboardInterrupt):
        subprocess.run(command, env=compose.environment(stack), check=False)


@contextmanager
def copied(stack: Stack, part: str | None) -> Iterator[list[Path]]:
    """A file for each container, named as a process' log is: for whoever searches in them."""
    states = Containers(stack).states()
    names = [name for name in states if not part or name.rpartition("-")[0] == part]
    if not names:
        raise Fault(
            f"there are no containers{f' of {part}' if part else ''}",
            remedy="start the shop with `make up MODE=docker`.",
        )
    with TemporaryDirectory(prefix="fusebox-logs-") as folder:
        paths = [Path(folder) / f"{name}.log" for name in names]
        for name, path in zip(names, paths, strict=True):
            with path.open("wb") as file:
                command = ["docker", "logs", states[name].host]
                subprocess.run(command, stdout=file, stderr=subprocess.STDOUT, check=False)
        yield paths

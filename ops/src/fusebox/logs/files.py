"""The logs of a stack: their last lines, and following them as they grow."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from fusebox.core.errors import Fault

TAIL_LINES = 20
BLOCK_BYTES = 64 * 1024


def tail(log: Path, lines: int = TAIL_LINES) -> str:
    """The last `lines` of `log` under its name, for an error message."""
    last = last_lines(log, lines)
    return "\n".join([f"the last lines of {log}:", *(f"  {line}" for line in last or ["(empty)"])])


def last_lines(log: Path, count: int) -> list[str]:
    if count <= 0 or not log.exists():
        return []
    with log.open("rb") as file:
        end = file.seek(0, 2)
        content = b""
        while end > 0 and content.count(b"\n") <= count:
            begin = max(0, end - BLOCK_BYTES)
            file.seek(begin)
            content = file.read(end - begin) + content
            end = begin
    return content.decode(errors="replace").splitlines()[-count:]


def logs_of(folder: Path, part: str | None) -> list[Path]:
    """The logs of every instance of `part`, or all of them."""
    pattern = f"{part}-[0-9]*.log" if part else "*.log"
    logs = sorted(folder.glob(pattern)) if folder.is_dir() else []
    if not logs:
        raise Fault(
            f"there are no logs {f'of {part} ' if part else ''}in {folder}",
            remedy="start the shop with `make up`.",
        )
    return logs


@dataclass
class Followed:
    path: Path
    file: BinaryIO
    inode: int
    rest: bytes = field(default=b"")

    @classmethod
    def at_end(cls, path: Path) -> Followed:
        file = path.open("rb")
        file.seek(0, 2)
        return cls(path, file, path.stat().st_ino)

    def new_lines(self) -> Iterator[str]:
        *whole, self.rest = (self.rest + self.file.read()).split(b"\n")
        for line in whole:
            yield line.decode(errors="replace")
        self._reopen_when_rotated()

    def close(self) -> None:
        self.file.close()

    def _reopen_when_rotated(self) -> None:
        if self.path.exists() and self.path.stat().st_ino != self.inode:
            self.file.close()
            self.file = self.path.open("rb")
            self.inode = self.path.stat().st_ino

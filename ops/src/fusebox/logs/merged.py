"""The logs of all processes as one: every line in the order of its time, whoever wrote it."""

from __future__ import annotations

import re
import time
from collections.abc import Generator, Iterator, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from fusebox.logs import files

# As ours, Kafka (log4j), Zipkin (logback), PostgreSQL and the supervisor write it.
STAMP = re.compile(
    r'(?:\{"@timestamp": ?"|\[)?'
    r"(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d)(?:[.,:](\d{1,6}))?(?: ?(UTC|Z)\b)?"
)
FOLLOW_SECONDS = 0.2


class LogLine(NamedTuple):
    """`at` is in seconds since 1970, and `name` that of the process that wrote it."""

    at: float
    name: str
    text: str


def last(paths: Sequence[Path], count: int) -> list[LogLine]:
    """The last lines of all logs together."""
    lines = [line for path in paths for line in _timed(path, files.last_lines(path, count))]
    return sorted(lines, key=lambda line: line.at)[-count:] if count else []


def whole(paths: Sequence[Path]) -> list[LogLine]:
    """Every line of all logs."""
    lines = [
        line
        for path in paths
        if path.exists()
        for line in _timed(path, path.read_text(errors="replace").splitlines())
    ]
    return sorted(lines, key=lambda line: line.at)


def follow(paths: Sequence[Path]) -> Generator[LogLine, None, None]:
    """Every line written from now on; never ends by itself."""
    return _follow([files.Followed.at_end(path) for path in paths])


def _follow(followed: Sequence[files.Followed]) -> Generator[LogLine, None, None]:
    with ExitStack() as opened:
        for log in followed:
            opened.callback(log.close)
        while True:
            yield from _new_lines(followed)


def _new_lines(followed: Sequence[files.Followed]) -> Iterator[LogLine]:
    lines = [line for log in followed for line in _timed(log.path, list(log.new_lines()))]
    yield from sorted(lines, key=lambda line: line.at)
    if not lines:
        time.sleep(FOLLOW_SECONDS)


def _timed(path: Path, texts: Sequence[str]) -> Iterator[LogLine]:
    """A line without a time is of that of the line before it, as in a traceback.

    At the beginning, as a JVM's warnings are, it is of that of the line after it.
    """
    times = [stamp(text) for text in texts]
    at = next((known for known in times if known is not None), _modified(path))
    for text, known in zip(texts, times, strict=True):
        at = at if known is None else known
        yield LogLine(at, name_of(path), text)


def name_of(path: Path) -> str:
    """`order-service-1` of `order-service-1.log` and of `order-service-1.log.2`."""
    return path.name.partition(".log")[0]


def _modified(path: Path) -> float:
    return path.stat().st_mtime if path.exists() else 0.0


def stamp(text: str) -> float | None:
    """The time at the beginning of a line; local, unless it says UTC."""
    match = STAMP.match(text)
    if match is None:
        return None
    try:
        moment = datetime.fromisoformat(f"{match[1]}T{match[2]}")
    except ValueError:
        return None
    fraction = float(f"0.{match[3] or 0}")
    return (moment.replace(tzinfo=UTC) if match[4] else moment).timestamp() + fraction

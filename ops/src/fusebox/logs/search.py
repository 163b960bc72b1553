"""Finds the lines of one request among gigabytes: bytes are looked for, only hits are read."""

from __future__ import annotations

import mmap
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from fusebox.logs import merged
from fusebox.logs.event import Event, event_of
from fusebox.logs.merged import LogLine

LONGEST_LINE = 1 << 20


def containing(paths: Sequence[Path], needles: Sequence[str]) -> list[LogLine]:
    """The lines that hold one of `needles`, of the rotated logs too, in the order of time."""
    lines = {
        (path, start): text
        for path in with_rotated(paths)
        for start, text in _hits(path, [needle.encode() for needle in needles])
    }
    found_lines = [
        LogLine(merged.stamp(text) or 0.0, merged.name_of(path), text)
        for (path, _), text in sorted(lines.items())
    ]
    return sorted(found_lines, key=lambda line: line.at)


def story_of(paths: Sequence[Path], ids: Sequence[str]) -> list[LogLine]:
    """The lines that name one of `ids`, and all others of the traces in which it is named.

    So the id of an order leads to its request and to its messages.
    """
    story = containing(paths, ids)
    traces = [trace for trace in _traces_of(story, ids) if trace not in ids]
    return containing(paths, [*ids, *traces]) if traces else story


def _traces_of(lines: Iterable[LogLine], ids: Sequence[str]) -> list[str]:
    """The trace ids that the events among `lines` have.

    Of an event that tells of many things at once, only those of the things that `ids` name.
    """
    traces: dict[str, None] = {}
    for event in (event_of(line.text) for line in lines):
        if event is not None:
            traces |= dict.fromkeys(_of_those_named(event, ids))
    return list(traces)


def _of_those_named(event: Event, ids: Sequence[str]) -> list[str]:
    trace = event.get("trace.id", "")
    if not isinstance(trace, list):
        return [trace] if trace else []
    columns = [value for value in event.values() if isinstance(value, list)]
    rows = zip(trace, zip(*columns, strict=False), strict=False)
    return [one for one, row in rows if one and not set(ids).isdisjoint(row)]


def with_rotated(paths: Sequence[Path]) -> list[Path]:
    """Each log with what it was before: `order-service-1.log.1`, and so on."""
    return [one for path in paths for one in (*sorted(path.parent.glob(f"{path.name}.*")), path)]


def _hits(path: Path, needles: Sequence[bytes]) -> Iterator[tuple[int, str]]:
    if not path.exists() or path.stat().st_size == 0:  # an empty file cannot be mapped
        return
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ) as content:
        for needle in needles:
            at = content.find(needle)
            while at >= 0:
                start = content.rfind(b"\n", max(0, at - LONGEST_LINE), at) + 1
                end = content.find(b"\n", at)
                end = len(content) if end < 0 else end
                yield start, content[start:end].decode(errors="replace")
                at = content.find(needle, end)

"""How far the dead letters of one partition are dealt with: what a consumer group has committed."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from fusebox.core.errors import Fault

# Kafka takes 4096 bytes beside an offset, unless its broker is told otherwise.
MOST_CHARACTERS = 4_000


@dataclass(frozen=True)
class LetterProgress:
    """All before `offset` is done, and of what comes behind it the `dropped` ones are."""

    offset: int = 0
    dropped: frozenset[int] = frozenset()

    @classmethod
    def of(cls, committed: Any) -> LetterProgress:
        """Of what Kafka keeps for the group, if anything: an offset with its metadata."""
        if committed is None:
            return cls()
        try:
            dropped = frozenset(map(int, json.loads(committed.metadata or "[]")))
        except (ValueError, TypeError):  # not ours
            dropped = frozenset()
        return cls(committed.offset, dropped)

    def is_done(self, offset: int) -> bool:
        return offset < self.offset or offset in self.dropped

    def past(self, offset: int) -> LetterProgress:
        """All up to `offset` is done."""
        return LetterProgress(offset + 1, self.dropped).drop(())

    def drop(self, offsets: Iterable[int]) -> LetterProgress:
        """Also `offsets` are done, in whatever order they lie."""
        dropped, first = self.dropped | frozenset(offsets), self.offset
        while first in dropped:
            first += 1
        return LetterProgress(first, frozenset(offset for offset in dropped if offset > first))

    def committed(self) -> Any:
        """As Kafka is to keep it; raises Fault when these are too many."""
        from kafka.structs import OffsetAndMetadata

        metadata = json.dumps(sorted(self.dropped), separators=(",", ":")) if self.dropped else ""
        if len(metadata) > MOST_CHARACTERS:
            raise Fault(
                f"{len(self.dropped)} letters between others are more than can be dropped singly",
                remedy="`make replay-dead` first, or drop all with `make dead DROP=all`.",
            )
        return OffsetAndMetadata(self.offset, metadata)

"""The outboxes, as `make verify` reads them: how many rows, and since when."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from itertools import cycle
from typing import TYPE_CHECKING, cast

from fusebox.core.stack import Stack
from fusebox.core.topology import DATABASES
from fusebox.network import postgres_probe

if TYPE_CHECKING:  # it takes its memory, and nobody may ever look
    from psycopg import Connection

# More than so many are not counted: it would take the longer the worse things are.
MOST_ROWS = 100_000
OUTBOX = (
    f"SELECT count(*), coalesce(extract(epoch FROM now() - min(recorded_at)), 0)"
    f" FROM (SELECT recorded_at FROM outbox ORDER BY position LIMIT {MOST_ROWS}) AS waiting"
)


@dataclass(frozen=True)
class OutboxRows:
    """`age` is that of the oldest, in seconds."""

    rows: int
    age: float


class OutboxReader:
    """Keeps a connection a database, and looks at one after another.  For one thread."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._connections: dict[str, Connection[tuple[object, ...]]] = {}
        self._turns = cycle(DATABASES.items())

    def read(self) -> tuple[str, OutboxRows]:
        """The next service.  Raises psycopg.Error or OSError, and connects anew the next time."""
        database, part = next(self._turns)
        try:
            return part.name, self._rows(database)
        except BaseException:
            self.close()
            raise

    def _rows(self, database: str) -> OutboxRows:
        connection = self._connections.get(database)
        if connection is None:
            connection = postgres_probe.connect(self._stack, database)
            connection.read_only = True
            self._connections[database] = connection
        row = connection.execute(OUTBOX.encode()).fetchone()
        count, age = cast("tuple[int, float]", row)
        return OutboxRows(int(count), float(age))

    def close(self) -> None:
        while self._connections:
            with suppress(Exception):
                self._connections.popitem()[1].close()

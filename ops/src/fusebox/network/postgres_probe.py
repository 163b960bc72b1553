"""PostgreSQL as its superuser reaches it, and whether it takes connections at all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fusebox.core.secrets import secret
from fusebox.core.stack import Stack

if TYPE_CHECKING:
    from psycopg import Connection

SUPERUSER = "postgres"
CONNECT_TIMEOUT_SECONDS = 5


def connect(stack: Stack, database: str = "postgres") -> Connection[tuple[object, ...]]:
    """A connection of the superuser's, for what only ops may do."""
    import psycopg

    host, port = stack.address("postgres")
    return psycopg.connect(
        # Of plain processes it is on this machine alone, whatever the others are bound to.
        host="127.0.0.1" if stack.mode == "native" else host,
        port=port,
        user=SUPERUSER,
        password=secret(stack, "postgres-password"),
        dbname=database,
        connect_timeout=CONNECT_TIMEOUT_SECONDS,
        autocommit=True,
    )


def accepts(host: str, port: int) -> bool:
    """Whether the server takes connections: libpq asks it, and needs no password for that."""
    from psycopg import pq
    from psycopg.conninfo import make_conninfo

    address = make_conninfo(
        host=host,
        port=port,
        user=SUPERUSER,
        dbname=SUPERUSER,
        connect_timeout=CONNECT_TIMEOUT_SECONDS,
    )
    return pq.PGconn.ping(address.encode()) == pq.Ping.OK


def rows(stack: Stack, database: str, table: str) -> int:
    """How many `table` has; 0 when it cannot be read."""
    import psycopg
    from psycopg import sql

    query = sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(table))
    try:
        with connect(stack, database) as connection:
            return int(str((connection.execute(query).fetchone() or (0,))[0]))
    except (psycopg.Error, OSError):  # also when the shop has no password yet
        return 0

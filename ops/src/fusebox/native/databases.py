"""PostgreSQL's cluster, roles and databases, each made when it is missing."""

from __future__ import annotations

import os
import pwd
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from fusebox.core.secrets import secret
from fusebox.core.stack import Stack
from fusebox.core.topology import DATABASES
from fusebox.native.postgres import Place
from fusebox.network.postgres_probe import SUPERUSER, connect

if TYPE_CHECKING:
    from psycopg import Connection

Run = Callable[[list[str], str | None], None]


def make_cluster(stack: Stack, place: Place, run: Run) -> None:
    """`initdb` into a folder beside the data's, moved into its place when it is whole."""
    scratch = Path(tempfile.mkdtemp(prefix="postgres-", dir=place.data.parent))
    try:
        password = scratch / "password"
        password.write_text(secret(stack, "postgres-password"))
        for path in (scratch, password):
            _give(path, place.account)
        run(_initdb(place, scratch / "cluster", password), place.account)
        (scratch / "cluster").replace(place.data)
    finally:
        shutil.rmtree(scratch)


def _initdb(place: Place, data: Path, password: Path) -> list[str]:
    return [
        place.program("initdb"),
        f"--pgdata={data}",
        f"--username={SUPERUSER}",
        f"--pwfile={password}",
        "--auth=scram-sha-256",
        "--encoding=UTF8",
        "--locale-provider=builtin",
        "--locale=C.UTF-8",
        "--no-sync",  # a cluster cut short by a power failure here is simply made again
        "--no-instructions",
    ]


def _give(path: Path, account: str | None) -> None:
    if account is not None:
        entry = pwd.getpwnam(account)
        os.chown(path, entry.pw_uid, entry.pw_gid)


def version() -> str:
    return repr(sorted(DATABASES))


def make_databases(stack: Stack) -> None:
    """A role and a database for each service, which no other service may enter."""
    with connect(stack) as connection:
        roles = _names(connection, "SELECT rolname FROM pg_roles")
        databases = _names(connection, "SELECT datname FROM pg_database")
        for name, service in DATABASES.items():
            if name not in roles:
                _make_role(connection, name, secret(stack, service.database_secret))
            if name not in databases:
                _make_database(connection, name)
        for name in ("postgres", "template1", *DATABASES):
            _close_to_others(connection, name)


def _names(connection: Connection[tuple[object, ...]], query: str) -> set[object]:
    return {row[0] for row in connection.execute(query.encode())}


def _make_role(connection: Connection[tuple[object, ...]], name: str, password: str) -> None:
    from psycopg import sql

    connection.execute(
        sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(
            sql.Identifier(name), sql.Literal(password)
        )
    )


def _make_database(connection: Connection[tuple[object, ...]], name: str) -> None:
    from psycopg import sql

    database = sql.Identifier(name)
    connection.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(database, database))


def _close_to_others(connection: Connection[tuple[object, ...]], name: str) -> None:
    from psycopg import sql

    statement = sql.SQL("REVOKE CONNECT ON DATABASE {} FROM PUBLIC")
    connection.execute(statement.format(sql.Identifier(name)))

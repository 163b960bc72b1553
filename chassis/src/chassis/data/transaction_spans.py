"""A span for each database transaction of a traced request, with the shape of its statements.

Brave's tag `sql.query` has their text, in which values are parameters: none of them is in a trace.
"""

import time
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Engine, event
from sqlalchemy.engine import ExceptionContext

from chassis.observability import tracing
from chassis.observability.tracing import Kind, TraceContext, Tracer

DATABASE = "postgres"
LONGEST_STATEMENT = 200
MOST_STATEMENTS = 20
# In the `info` of a connection, which serves one transaction at a time.
OPEN = "transaction_span"


@dataclass(slots=True)
class _Transaction:
    context: TraceContext
    started: float = field(default_factory=time.time)
    statements: list[str] = field(default_factory=list)
    tags: dict[str, str] = field(default_factory=dict)


class TransactionSpans:
    """The listener of an engine; what is not sampled costs it one look at the context."""

    def __init__(self, tracer: Tracer) -> None:
        self._tracer = tracer

    def listen(self, engine: Engine) -> None:
        event.listen(engine, "begin", self.begin)
        event.listen(engine, "before_cursor_execute", self.execute)
        event.listen(engine, "commit", self.commit)
        event.listen(engine, "rollback", self.rollback)
        event.listen(engine, "handle_error", self.failed)
        # SQLAlchemy tells of a commit before it is done, and that is what takes long.
        event.listen(engine, "checkin", self.checkin)

    def begin(self, connection: Connection) -> None:
        current = tracing.current()
        if current is None or not current.is_sampled:
            return
        self._end(connection.info)
        connection.info[OPEN] = _Transaction(self._tracer.child_of(current))

    def execute(
        self, connection: Connection, _cursor: Any, statement: str, *_arguments: Any
    ) -> None:
        transaction = _open(connection)
        if transaction is not None and len(transaction.statements) < MOST_STATEMENTS:
            transaction.statements.append(" ".join(statement.split())[:LONGEST_STATEMENT])

    def commit(self, connection: Connection) -> None:
        transaction = _open(connection)
        if transaction is not None:
            transaction.tags["sql.outcome"] = "commit"

    def rollback(self, connection: Connection) -> None:
        transaction = _open(connection)
        # What reads in AUTOCOMMIT is given back like this, and there is nothing to roll back.
        is_read = connection.get_execution_options().get("isolation_level") == "AUTOCOMMIT"
        if transaction is not None and not is_read:
            transaction.tags["sql.outcome"] = "rollback"

    def failed(self, context: ExceptionContext) -> None:
        if context.connection is None:
            return
        transaction = _open(context.connection)
        if transaction is None:
            return
        # The type alone: the text of an error may have values.
        transaction.tags["error"] = type(context.original_exception).__name__
        if context.sqlalchemy_exception is not None:
            tracing.recorded_error(context.sqlalchemy_exception, transaction.context)
        if context.is_disconnect:
            # The connection is about to be thrown away, and is never given back.
            self._end(context.connection.info)

    def checkin(self, _connection: Any, record: Any) -> None:
        self._end(record.info)

    def _end(self, info: dict[Any, Any]) -> None:
        transaction = info.pop(OPEN, None)
        if transaction is not None:
            self._tracer.report(
                "transaction",
                Kind.CLIENT,
                transaction.context,
                transaction.started,
                remote=DATABASE,
                tags={**transaction.tags, "sql.query": ";\n".join(transaction.statements)},
            )


def _open(connection: Connection) -> _Transaction | None:
    """None as well of a connection that was lost: its `info` cannot be asked for."""
    if connection.invalidated or connection.closed:
        return None
    transaction: _Transaction | None = connection.info.get(OPEN)
    return transaction

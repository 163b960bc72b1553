"""What says that the database is away, whichever driver found out."""

from sqlalchemy.exc import (
    DBAPIError,
    InterfaceError,
    InternalError,
    OperationalError,
    SQLAlchemyError,
    TimeoutError,
)

# It is away or has no connection to spare; the statement itself is not to blame.
OUTAGES: tuple[type[SQLAlchemyError], ...] = (OperationalError, InterfaceError, TimeoutError)
# PostgreSQL's class 54, "program limit exceeded": a value too long for an index, for example.
# psycopg files it under OperationalError, and it comes back for as long as the value does.
PROGRAM_LIMIT = "54"


def is_outage(error: Exception) -> bool:
    """Whether `error` says that the database is away, and nothing about what was asked of it."""
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        return True
    sqlstate = getattr(error.orig, "sqlstate", None) if isinstance(error, DBAPIError) else None
    if sqlstate is not None and sqlstate.startswith(PROGRAM_LIMIT):
        return False
    return isinstance(error, (*OUTAGES, InternalError))

"""What says that the database is away, whichever driver found out."""

from sqlalchemy.exc import InterfaceError, OperationalError, SQLAlchemyError, TimeoutError

# It is away or has no connection to spare; the statement itself is not to blame.
OUTAGES: tuple[type[SQLAlchemyError], ...] = (OperationalError, InterfaceError, TimeoutError)

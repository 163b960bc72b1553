"""PostgreSQL through SQLAlchemy: engines made after the fork, schemas brought up to date."""

import time
from importlib import resources
from typing import Any

import psycopg
from sqlalchemy import Engine, create_engine, event, make_url, text
from sqlalchemy.exc import SQLAlchemyError

from chassis.actuator.endpoints import Check, down, up
from chassis.config.settings import Datasource
from chassis.core.environment import Environment
from chassis.resilience import deadline

# A wait for a connection holds a thread of the service: soon is better than late.
POOL_TIMEOUT_SECONDS = 2
CONNECT_TIMEOUT_SECONDS = 2
# A server that has stopped keeps its connections: only a limit of our own ends the wait.
ANSWER_SECONDS = 5.0
HEALTH_SECONDS = 1.0


class Connection(psycopg.Connection[Any]):
    """Waits no longer for an answer than the request has time left, and never without end."""

    answer_seconds = ANSWER_SECONDS

    def wait(self, gen: Any, interval: float = 0.1, timeout: float | None = None) -> Any:
        if timeout is not None:
            return super().wait(gen, interval, timeout)
        left = deadline.time_left()
        longest = self.answer_seconds if left is None else min(self.answer_seconds, left)
        until = time.monotonic() + longest
        try:
            return super().wait(gen, interval, max(longest, 0.001))
        except psycopg.OperationalError:
            if time.monotonic() < until:
                raise
            # Half an answer may still come: nobody else must read it.
            self.pgconn.finish()
            raise psycopg.OperationalError("PostgreSQL did not answer in time") from None


class PatientConnection(Connection):
    """For what may take long and holds nobody up: migrations, and waiting for their turn."""

    answer_seconds = 60.0


def engine_of(
    datasource: Datasource,
    environment: Environment,
    connection: type[Connection] = Connection,
    **options: Any,
) -> Engine:
    """The pool of this service's own database, its password read from the secrets."""
    url = make_url(datasource.url).set(
        password=environment.secret(f"{environment.service}-db-password")
    )
    engine = create_engine(
        url,
        # The values of a failed statement may be personal: they stay out of the log.
        hide_parameters=True,
        # None above it: an overflow is thrown away when it is given back, and opening another
        # costs more than most statements, and their preparation with it.
        pool_size=datasource.pool_size,
        max_overflow=0,
        pool_timeout=POOL_TIMEOUT_SECONDS,
        connect_args={
            "connect_timeout": CONNECT_TIMEOUT_SECONDS,
            "application_name": environment.instance,
        },
        **options,
    )

    @event.listens_for(engine, "do_connect")
    def connect(_dialect: Any, _record: Any, arguments: Any, settings: Any) -> Any:
        return connection.connect(*arguments, **settings)

    return engine


def migrate(engine: Engine, package: str) -> None:
    """Bring the schema to the newest of `package`'s `migrations`; harmless when it is there."""
    # Here, since only `prepare` needs it: a service that runs is spared its time and memory.
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(resources.files(package) / "migrations"))
    with engine.begin() as connection:
        # Instances that start at once migrate one after another.
        connection.execute(text("SELECT pg_advisory_xact_lock(hashtext('migrations'))"))
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def health(engine: Engine) -> Check:
    def check() -> dict[str, Any]:
        try:
            with deadline.at_most(HEALTH_SECONDS), engine.connect() as connection:
                connection.execute(text("SELECT 1"))
        except SQLAlchemyError as error:
            return down(type(error).__name__, database="PostgreSQL")
        return up(database="PostgreSQL")

    return check

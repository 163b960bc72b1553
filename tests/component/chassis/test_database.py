"""Waits for PostgreSQL end: with the request's time, and without one all the same."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import OperationalError

from chassis.data import postgres
from chassis.resilience import deadline
from chassis.runtime.service import Process

SLEEP = text("SELECT pg_sleep(20)")


class Hasty(postgres.Connection):
    answer_seconds = 0.2


@pytest.fixture(scope="module")
def process(process_of: Callable[..., Process[Any]]) -> Process[Any]:
    return process_of("order-service")


def engine_of(process: Process[Any], kind: type[postgres.Connection]) -> Engine:
    datasource = process.settings.spring.datasource
    return postgres.engine_of(datasource, process.environment, kind)


@pytest.fixture
def engine(process: Process[Any]) -> Iterator[Engine]:
    made = engine_of(process, postgres.Connection)
    yield made
    made.dispose()


def test_a_query_has_no_more_time_than_its_request(engine: Engine) -> None:
    with deadline.at_most(0.2), pytest.raises(OperationalError), engine.connect() as connection:
        connection.execute(SLEEP)


def test_a_query_outside_any_request_does_not_wait_for_ever(process: Process[Any]) -> None:
    engine = engine_of(process, Hasty)

    with pytest.raises(OperationalError, match="in time"), engine.connect() as connection:
        connection.execute(SLEEP)
    engine.dispose()


def test_a_connection_that_was_given_up_is_not_used_again(engine: Engine) -> None:
    with deadline.at_most(0.2), pytest.raises(OperationalError), engine.connect() as connection:
        connection.execute(SLEEP)

    with engine.connect() as connection:
        assert connection.scalar(text("SELECT 7")) == 7

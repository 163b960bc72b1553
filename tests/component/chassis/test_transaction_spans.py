"""What a traced request asks of its database is in its trace, without any value."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from py_zipkin import Kind
from py_zipkin.encoding import Span
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.orm import sessionmaker

from chassis.core.live import Live
from chassis.data import postgres
from chassis.data.transaction_spans import TransactionSpans
from chassis.observability import tracing
from chassis.observability.sampling import Sampler, SamplingRules
from chassis.observability.tracing import TraceContext, Tracer
from chassis.resilience import deadline
from chassis.runtime.service import Process

TRACED = TraceContext("463ac35c9f6413ad", "a2fb4a1d1a96d312", None, "0", True)
QUESTION = text("SELECT CAST(:secret AS text)")


@pytest.fixture
def spans() -> list[Span]:
    return []


@pytest.fixture
def engine(process_of: Callable[..., Process[Any]], spans: list[Span]) -> Iterator[Engine]:
    process = process_of("order-service")
    made = postgres.engine_of(process.settings.spring.datasource, process.environment)
    tracer = Tracer("order-service", Sampler(Live(SamplingRules(1.0))), spans.append)
    TransactionSpans(tracer).listen(made)
    yield made
    made.dispose()


def test_a_transaction_is_one_span_with_the_shape_of_its_statements(
    engine: Engine, spans: list[Span]
) -> None:
    with tracing.continued(TRACED), engine.begin() as connection:
        connection.execute(QUESTION, {"secret": "hunter2"})
        connection.execute(text("SELECT\n   7"))

    [span] = spans
    assert (span.name, span.kind, span.parent_id) == ("transaction", Kind.CLIENT, TRACED.span_id)
    assert span.remote_endpoint is not None
    assert span.remote_endpoint.service_name == "postgres"
    assert span.tags is not None
    assert "hunter2" not in str(span.tags)
    assert str(span.tags["sql.query"]).endswith(";\nSELECT 7")
    assert span.tags["sql.outcome"] == "commit"


def test_the_commit_is_part_of_it(engine: Engine, spans: list[Span]) -> None:
    with tracing.continued(TRACED), engine.begin() as connection:
        connection.execute(text("CREATE TEMP TABLE slow (n int) ON COMMIT DROP"))
        connection.execute(
            text(
                "CREATE FUNCTION pg_temp.sleeps() RETURNS trigger LANGUAGE plpgsql AS"
                " $$ BEGIN PERFORM pg_sleep(0.3); RETURN NULL; END $$"
            )
        )
        connection.execute(
            text(
                "CREATE CONSTRAINT TRIGGER at_commit AFTER INSERT ON slow DEFERRABLE"
                " INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION pg_temp.sleeps()"
            )
        )
        connection.execute(text("INSERT INTO slow VALUES (1)"))

    assert spans[0].duration is not None
    assert spans[0].duration >= 0.3


def test_a_read_of_its_own_is_a_span_that_says_nothing_of_an_outcome(
    engine: Engine, spans: list[Span]
) -> None:
    reads = engine.execution_options(isolation_level="AUTOCOMMIT")

    with tracing.continued(TRACED), reads.connect() as connection:
        connection.execute(text("SELECT 7"))

    assert spans[0].tags == {"sql.query": "SELECT 7"}


def test_a_session_that_fails_says_which_kind_of_error_it_was_and_no_value(
    engine: Engine, spans: list[Span]
) -> None:
    sessions = sessionmaker(engine)

    with pytest.raises(DBAPIError) as raised, tracing.continued(TRACED):  # noqa: SIM117
        with sessions.begin() as session:
            session.execute(text("SELECT CAST(:secret AS integer)"), {"secret": "hunter2"})

    assert getattr(raised.value, tracing.RECORDED_IN) == TRACED.trace_id
    assert spans[0].tags is not None
    assert spans[0].tags["error"] == "InvalidTextRepresentation"
    assert spans[0].tags["sql.outcome"] == "rollback"
    assert "hunter2" not in str(spans[0].tags)


@pytest.mark.parametrize("isolation", ["READ COMMITTED", "AUTOCOMMIT"])
def test_an_answer_that_never_comes_is_the_same_error_with_a_trace_as_without(
    engine: Engine, spans: list[Span], isolation: str
) -> None:
    connections = engine.execution_options(isolation_level=isolation)

    def ask() -> None:
        with deadline.at_most(0.2), connections.connect() as connection:
            connection.execute(text("SELECT pg_sleep(20)"))

    for context in (None, TRACED):
        with pytest.raises(OperationalError, match="in time"), tracing.continued(context):
            ask()

    assert [span.tags and span.tags["error"] for span in spans] == ["OperationalError"]


@pytest.mark.parametrize("context", [None, TRACED._replace(is_sampled=False)])
def test_what_is_not_traced_leaves_no_span(
    engine: Engine, spans: list[Span], context: TraceContext | None
) -> None:
    with tracing.continued(context), engine.begin() as connection:
        connection.execute(QUESTION, {"secret": "hunter2"})
    # The next one on the same connection has nothing of it either.
    with tracing.continued(TRACED), engine.begin() as connection:
        connection.execute(text("SELECT 7"))

    assert [span.tags and span.tags["sql.query"] for span in spans] == ["SELECT 7"]

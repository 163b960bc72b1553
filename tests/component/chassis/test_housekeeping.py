"""Rows that have had their time are deleted, and nothing else, while others go on working."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import Engine, create_engine, inspect, select, text
from sqlalchemy.orm import Session, sessionmaker

from catalog_service import models as catalog
from catalog_service import prepare as catalog_prepare
from chassis.config.settings import HousekeepingSettings, Settings
from chassis.core.live import Live
from chassis.data import postgres
from chassis.data.housekeeping import Housekeeping, PurgedTable, TimeToLive, deletion
from chassis.runtime.service import Process
from order_service import models as order
from order_service import prepare as order_prepare
from order_service.settings import OrderSettings
from user_service import models as user
from user_service import prepare as user_prepare
from user_service.settings import UserSettings

DAY = timedelta(days=1)
INBOX = order.inbox.table
GOES_ON = threading.Event()


@pytest.fixture(scope="module")
def engine_of(process_of: Callable[..., Process[Any]]) -> Iterator[Callable[..., Engine]]:
    engines: list[Engine] = []

    def made(service: str, model: type[Settings], prepare: Any) -> Engine:
        process = process_of(service, model)
        prepare.prepare(process)
        datasource = process.settings.spring.datasource
        engines.append(postgres.engine_of(datasource, process.environment))
        return engines[-1]

    yield made
    for engine in engines:
        engine.dispose()


@pytest.fixture(scope="module")
def engine(engine_of: Callable[..., Engine]) -> Engine:
    return engine_of("order-service", OrderSettings, order_prepare)


@pytest.fixture(autouse=True)
def empty(engine: Engine) -> None:
    execute(engine, "TRUNCATE inbox")


def execute(engine: Engine, statement: str) -> None:
    with engine.begin() as connection:
        connection.execute(text(statement))


def received(engine: Engine, events: int, days_ago: float) -> None:
    execute(
        engine,
        "INSERT INTO inbox (event_id, received_at) SELECT gen_random_uuid(),"
        f" now() - interval '{days_ago} days' FROM generate_series(1, {events})",
    )


def count(engine: Engine) -> int:
    with engine.connect() as connection:
        return int(connection.scalar(text("SELECT count(*) FROM inbox")) or 0)


def sweeper(engine: Engine, *times_to_live: TimeToLive, **settings: Any) -> Housekeeping:
    settings = {"batch_size": 100, "pause_seconds": 0, **settings}
    return Housekeeping(sessionmaker(engine), Live(HousekeepingSettings(**settings)), times_to_live)


def figures(sweeping: Housekeeping) -> dict[str, float]:
    return {
        f"{sample.name}{sample.labels['table']}": sample.value
        for metric in sweeping.metrics()
        for sample in metric.samples
    }


def test_all_that_is_old_goes_in_batches_and_what_is_young_stays(engine: Engine) -> None:
    ttl = TimeToLive(INBOX.c.received_at, Live(DAY))
    received(engine, 250, days_ago=1.01)
    received(engine, 10, days_ago=0.5)
    sweeping = sweeper(engine, ttl)

    assert sweeping.sweep(ttl, GOES_ON) == 250
    assert sweeping.sweep(ttl, GOES_ON) == 0

    assert count(engine) == 10
    shown = figures(sweeping)
    assert shown["housekeeping_rows_removed_totalinbox"] == 250
    assert shown["housekeeping_oldest_row_secondsinbox"] == pytest.approx(43_200, abs=60)


def test_a_purge_is_a_sweep_of_all_tables_that_says_whether_it_is_whole(engine: Engine) -> None:
    inbox = TimeToLive(INBOX.c.received_at, Live(DAY))
    keys = TimeToLive(order.IdempotencyKey.claimed_at, Live(DAY))
    received(engine, 30, days_ago=2)

    cut_short = sweeper(engine, inbox, keys, batch_size=10, pause_seconds=5).purge(seconds=0.0)
    whole = sweeper(engine, inbox, keys, batch_size=10).purge(seconds=10)

    assert (cut_short.is_whole, whole.is_whole) == (False, True)
    first, rest = cut_short.tables["inbox"].rows, whole.tables["inbox"].rows
    assert 0 < first < 30
    assert first + rest == 30
    assert whole.tables["idempotency_keys"] == PurgedTable(0, DAY)
    assert count(engine) == 0


def test_an_empty_table_has_no_old_row(engine: Engine) -> None:
    ttl = TimeToLive(INBOX.c.received_at, Live(DAY))
    sweeping = sweeper(engine, ttl)

    sweeping.sweep(ttl, GOES_ON)

    assert figures(sweeping)["housekeeping_oldest_row_secondsinbox"] == 0


def test_a_shorter_time_to_live_applies_at_the_next_sweep(engine: Engine) -> None:
    keep = Live(DAY)
    ttl = TimeToLive(INBOX.c.received_at, keep)
    received(engine, 3, days_ago=0.5)
    sweeping = sweeper(engine, ttl)
    assert sweeping.sweep(ttl, GOES_ON) == 0

    keep.set(DAY / 4)

    assert sweeping.sweep(ttl, GOES_ON) == 3


def test_rows_that_somebody_works_on_are_passed_over_without_waiting(engine: Engine) -> None:
    ttl = TimeToLive(INBOX.c.received_at, Live(DAY))
    received(engine, 20, days_ago=2)
    sweeping = sweeper(engine, ttl)

    with Session(engine) as busy:
        locked = busy.execute(select(INBOX).limit(5).with_for_update()).all()
        assert len(locked) == 5
        assert sweeping.sweep(ttl, GOES_ON) == 15

    assert sweeping.sweep(ttl, GOES_ON) == 5


def test_instances_that_sweep_at_once_share_the_work(engine: Engine) -> None:
    ttl = TimeToLive(INBOX.c.received_at, Live(DAY))
    received(engine, 2_000, days_ago=2)
    instances = [sweeper(engine, ttl) for _ in range(4)]

    with ThreadPoolExecutor(4) as pool:
        removed = list(pool.map(lambda instance: instance.sweep(ttl, GOES_ON), instances))

    assert sum(removed) == 2_000
    assert count(engine) == 0


def test_who_is_stopped_leaves_the_rest_for_later(engine: Engine) -> None:
    ttl = TimeToLive(INBOX.c.received_at, Live(DAY))
    received(engine, 250, days_ago=2)
    stop = threading.Event()
    stop.set()

    assert sweeper(engine, ttl).sweep(ttl, stop) == 100


def test_it_sweeps_by_itself_and_outlives_an_outage(engine: Engine) -> None:
    ttl = TimeToLive(INBOX.c.received_at, Live(DAY))
    received(engine, 5, days_ago=2)
    pool = create_engine(engine.url)
    sweeping = sweeper(pool, ttl, interval_seconds=0.02)
    cut_off = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
    with pool.connect() as connection:
        connection.execute(text("SELECT 1"))
    engine.dispose()
    with engine.connect() as connection:
        connection.execute(text(f"{cut_off} AND datname = current_database()"))
    stop = threading.Event()
    thread = threading.Thread(target=sweeping.run, args=(stop,))
    thread.start()

    for _ in range(500):
        if figures(sweeping)["housekeeping_rows_removed_totalinbox"]:
            break
        stop.wait(0.02)
    stop.set()
    thread.join(10)
    pool.dispose()

    assert count(engine) == 0


def test_a_deleted_user_goes_after_a_while_and_others_never(
    engine_of: Callable[..., Engine],
) -> None:
    engine = engine_of("user-service", UserSettings, user_prepare)
    with Session(engine) as session, session.begin():
        for name, deleted in (("long", DAY * 31), ("just", DAY * 0), ("never", None)):
            gone = None if deleted is None else datetime.now(UTC) - deleted
            session.add(
                user.User(
                    user_id=uuid4(),
                    email=f"{name}@x.yz",
                    name=name,
                    password_hash="",
                    role="user",
                    created_at=datetime.now(UTC) - DAY * 365,
                    deleted_at=gone,
                )
            )
    ttl = TimeToLive(user.User.deleted_at, Live(timedelta(days=30)))

    assert sweeper(engine, ttl).sweep(ttl, GOES_ON) == 1

    with Session(engine) as session:
        names = set(session.scalars(select(user.User.name)))
    assert "long" not in names
    assert {"just", "never"} <= names


SWEPT = [
    ("order-service", OrderSettings, order_prepare, INBOX.c.received_at),
    ("order-service", OrderSettings, order_prepare, order.IdempotencyKey.claimed_at),
    ("catalog-service", Settings, catalog_prepare, catalog.inbox.table.c.received_at),
    ("user-service", UserSettings, user_prepare, user.User.deleted_at),
]


@pytest.mark.parametrize(("service", "model", "prepare", "column"), SWEPT)
def test_no_sweep_reads_a_whole_table(
    engine_of: Callable[..., Engine], service: str, model: Any, prepare: Any, column: Any
) -> None:
    engine = engine_of(service, model, prepare)
    ttl = TimeToLive(column, Live(DAY))
    indexed = [index["column_names"][0] for index in inspect(engine).get_indexes(ttl.table.name)]

    assert column.key in indexed
    plan = "\n".join(explained(engine, deletion(ttl)))
    assert "Tid Scan" in plan
    assert "Index Scan" in plan or "Index Only Scan" in plan
    assert "Seq Scan" not in plan


def explained(engine: Engine, statement: Any) -> list[str]:
    compiled = statement.compile(engine)
    sql = str(compiled).replace("%(keep)s", "interval '1 day'").replace("%(batch)s", "100")
    with engine.begin() as connection:
        connection.execute(text("SET LOCAL enable_seqscan = off"))
        return list(connection.scalars(text(f"EXPLAIN {sql}")))

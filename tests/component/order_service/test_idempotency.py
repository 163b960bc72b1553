"""`Idempotency-Key` on a real database: one effect a key, whoever asks again and whenever."""

import hashlib
import json
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from importlib import resources
from typing import Any
from uuid import UUID, uuid4

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import Engine, text
from sqlalchemy.orm import sessionmaker

from chassis.core.errors import Conflict
from chassis.core.live import Live
from chassis.data import postgres
from chassis.observability.sampling import Sampler, SamplingRules
from chassis.observability.tracing import Tracer
from chassis.runtime.service import Process
from order_service import commands, prepare
from order_service.idempotency import Claim, IdempotencyKeys, Replay, settle_all
from order_service.settings import OrderSettings

BODY = {"productId": "A", "qty": 1}
# What an instance of version 0.1 keeps of BODY.
FINGERPRINT_0_1 = hashlib.sha256(b"[Wanted(product_id='A', qty=1, unit_price=None)]").hexdigest()
ABANDON = (
    "UPDATE idempotency_keys SET claimed_at = now() - interval '13 s' WHERE user_id = :user_id"
)


def keys_of(engine: Engine) -> IdempotencyKeys:
    nobody = Tracer("order-service", Sampler(Live(SamplingRules())), lambda _: None)
    return IdempotencyKeys(sessionmaker(engine, expire_on_commit=False), nobody)


def execute(engine: Engine, statement: str, **values: Any) -> Any:
    with engine.begin() as connection:
        return connection.execute(text(statement), values)


def orders_of(user: Any) -> list[Any]:
    return list(user.call("GET", "orders").get_json())


def claim(keys: IdempotencyKeys, user_id: str, request: str = "same") -> Claim:
    """A claim whose process goes no further."""
    return keys._claim(UUID(user_id), "k", [hashlib.sha256(request.encode()).hexdigest()])


def test_the_same_order_with_its_fields_in_another_order_is_the_same_request(user: Any) -> None:
    first = user.call(
        "POST",
        "orders",
        data='{"productId": "A", "qty": 1, "unitPrice": 100}',
        content_type="application/json",
        headers={"Idempotency-Key": "k"},
    )
    again = user.call(
        "POST",
        "orders",
        data='{"unitPrice":100,"qty":1,"productId":"A"}',
        content_type="application/json",
        headers={"Idempotency-Key": "k"},
    )

    assert (first.status_code, again.status_code) == (201, 201)
    assert again.data == first.data
    assert len(orders_of(user)) == 1


@pytest.mark.parametrize(
    "other", [{"productId": "B", "qty": 1}, {"productId": "A", "qty": 1, "unitPrice": 100}]
)
def test_another_order_under_the_same_key_is_refused(user: Any, other: dict[str, Any]) -> None:
    user.place("k", **BODY)

    refused = user.place("k", **other)

    assert (refused.status_code, refused.get_json()["code"]) == (422, "idempotency-key-reused")


def test_the_same_key_of_another_user_is_another_key(user: Any) -> None:
    first = user.place("k", **BODY).get_json()
    user.user_id = str(uuid4())

    assert user.place("k", **BODY).get_json()["orderId"] != first["orderId"]


def test_a_repeated_request_tells_as_the_first_that_the_order_was_degraded(user: Any) -> None:
    user.receive("product.changed", productId="A", unitPrice=100, stock=9, version=1)
    user.catalog.status = 503
    first = user.place("k", **BODY)
    user.catalog.recover()
    user.receive("stock.rejected", orderId=first.get_json()["orderId"], reason="out-of-stock")

    again = user.place("k", **BODY)

    assert first.get_json()["degraded"] == ["catalog-service"]
    assert again.data == first.data


def test_a_request_that_waits_gets_the_decision_each_time(user: Any) -> None:
    order_id = user.place("k", **BODY).get_json()["orderId"]
    user.receive("stock.reserved", orderId=order_id)
    [poll] = [it.run for it in user.process.workers._planned if it.name == "long-poll"]
    stop = threading.Event()
    headers = {"Idempotency-Key": "k", "Prefer": "wait=5"}

    with ThreadPoolExecutor() as pool:
        pool.submit(poll, stop)
        answers = [user.call("POST", "orders", json=BODY, headers=headers) for _ in range(2)]
        stop.set()

    assert [answer.get_json()["status"] for answer in answers] == ["CONFIRMED", "CONFIRMED"]
    assert answers[0].data == answers[1].data


def test_a_repeated_cancel_is_answered_as_the_first(user: Any) -> None:
    order_id = user.place(**BODY).get_json()["orderId"]
    path, headers = f"orders/{order_id}/cancel", {"Idempotency-Key": "k"}

    first = user.call("POST", path, headers=headers)
    again = user.call("POST", path, headers=headers)

    assert (first.status_code, again.status_code) == (202, 202)
    assert again.data == first.data
    assert user.recorded(order_id) == ["order.placed", "order.cancelled"]


def test_of_many_requests_at_once_one_places_the_order(user: Any) -> None:
    with ThreadPoolExecutor(8) as pool:
        codes = [
            answer.status_code for answer in pool.map(lambda _: user.place("k", **BODY), range(8))
        ]

    assert set(codes) <= {201, 409}
    assert 201 in codes
    assert len(orders_of(user)) == 1


def test_an_abandoned_claim_is_taken_over_and_cannot_be_settled_by_who_held_it(user: Any) -> None:
    keys = keys_of(user.engine)
    first = claim(keys, user.user_id)
    with pytest.raises(Conflict, match="under way"):
        claim(keys, user.user_id)
    execute(user.engine, ABANDON, user_id=user.user_id)
    second = claim(keys, user.user_id)
    order_id = uuid4()

    with pytest.raises(Conflict, match="under way"), keys._sessions.begin() as session:
        settle_all(session, [(first, uuid4(), [])])
    keys._release(first)
    with keys._sessions.begin() as session:
        settle_all(session, [(second, order_id, [])])

    with pytest.raises(Replay) as replay:
        claim(keys, user.user_id)
    assert replay.value.order_id == order_id


def test_who_lost_the_claim_leaves_no_order_behind(
    user: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def taken_over_before(*args: Any) -> None:
        execute(user.engine, ABANDON, user_id=user.user_id)
        settle_all(*args)

    monkeypatch.setattr(commands, "settle_all", taken_over_before)
    refused = user.place("k", **BODY)

    assert (refused.status_code, refused.get_json()["code"]) == (409, "idempotency-in-progress")
    assert orders_of(user) == []


@pytest.fixture(scope="module")
def migrated(process_of: Callable[..., Process[Any]]) -> Any:
    """A database with a key that version 0.1 settled before the migration, and its user."""
    process = process_of("order-service", OrderSettings)
    engine = postgres.engine_of(process.settings.spring.datasource, process.environment)
    user_id = uuid4()
    config = Config()
    config.set_main_option("script_location", str(resources.files("order_service") / "migrations"))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
    settle_as_0_1(engine, user_id, "before", uuid4())
    prepare.prepare(process)
    yield engine, user_id
    engine.dispose()


def settle_as_0_1(engine: Engine, user_id: UUID, key: str, order_id: UUID) -> None:
    answer = {"orderId": str(order_id), "status": "PENDING", "degraded": ["catalog-service"]}
    execute(
        engine,
        "INSERT INTO idempotency_keys (user_id, key, fingerprint, answer)"
        " VALUES (:user_id, :key, :fingerprint, :answer)",
        user_id=user_id,
        key=key,
        fingerprint=FINGERPRINT_0_1,
        answer=json.dumps(answer),
    )


def test_a_key_that_version_0_1_settled_before_the_migration_is_still_known(migrated: Any) -> None:
    engine, user_id = migrated

    with pytest.raises(Replay) as replay:
        keys_of(engine)._claim(user_id, "before", ["new form", FINGERPRINT_0_1])

    assert replay.value.degraded == ["catalog-service"]


def test_an_instance_of_version_0_1_may_go_on_beside_us(user: Any) -> None:
    placed = user.place(**BODY).get_json()
    settle_as_0_1(user.engine, UUID(user.user_id), "beside", UUID(placed["orderId"]))

    again = user.place("beside", **BODY)

    assert again.status_code == 201
    assert again.get_json() == {**placed, "degraded": ["catalog-service"]}
    assert len(orders_of(user)) == 1
    assert user.place("beside", productId="A", qty=2).get_json()["code"] == "idempotency-key-reused"


def test_a_key_in_quotes_is_the_same_key(user: Any) -> None:
    first = user.place("k", **BODY)

    assert user.place('"k"', **BODY).data == first.data
    assert user.place('"k", k', **BODY).data == first.data
    assert len(orders_of(user)) == 1


@pytest.mark.parametrize("key", ["a\x00b", "a\x01", "a,b", '"', "k" * 256])
def test_a_key_that_is_none_is_refused_and_nothing_is_ordered(user: Any, key: str) -> None:
    answer = user.place(key, **BODY)

    assert answer.status_code == 422
    assert answer.json["errors"][0]["field"] == "Idempotency-Key"
    assert orders_of(user) == []

"""Events against their JSON Schemas: what producers publish and what consumers read."""

import copy
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from jsonschema import Draft202012Validator
from pydantic import BaseModel

import catalog_service.messaging
import order_service.messaging
import user_service.messaging
from catalog_service.models import Product, ReservationLine, ReservationStatus, release, reserve
from chassis.audit.entry import AuditEntry, Outcome
from chassis.audit.events import audit_recorded
from chassis.messaging import cloudevents
from chassis.messaging.cloudevents import BadRecord
from chassis.messaging.event import encode
from chassis.messaging.outbox import Message
from order_service.models import Order, OrderLine

HERE = Path(__file__).parent
SCHEMAS = {path.stem: json.loads(path.read_text()) for path in HERE.glob("schemas/*.json")}
SAMPLES = {path.stem: json.loads(path.read_text()) for path in HERE.glob("samples/*.json")}
CONSUMERS = {
    "catalog-service": catalog_service.messaging.EVENT_TYPES,
    "order-service": order_service.messaging.EVENT_TYPES,
    "user-service": user_service.messaging.EVENT_TYPES,
}
# The contract's table: where each type is published, and which field is the record's key.
PUBLISHED = {
    "order.placed": ("orders", "orderId"),
    "order.cancelled": ("orders", "orderId"),
    "stock.reserved": ("catalog", "orderId"),
    "stock.rejected": ("catalog", "orderId"),
    "product.changed": ("products", "productId"),
    "user.deleted": ("users", "userId"),
    "audit.recorded": ("audit", "entryId"),
}
NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
Steps = tuple[str | int, ...]


def produced() -> list[Message]:
    """Every message that a service can publish, made from its objects without an engine."""
    order = Order.place(
        uuid4(), [OrderLine("CATALOG-0001", 2, 1500), OrderLine("CATALOG-0002", 1, 900)]
    )
    shelf = {"CATALOG-0001": Product.create("CATALOG-0001", "Berlin", 1500, 100)}
    reservation, _ = reserve(order.order_id, [ReservationLine("CATALOG-0001", 2)], shelf)
    assert reservation.status == ReservationStatus.RESERVED
    rejected = catalog_service.messaging.stock_rejected
    return [
        order_service.messaging.order_placed(order),
        order_service.messaging.order_cancelled(order),
        catalog_service.messaging.stock_reserved(reservation),
        rejected(order.order_id, "out-of-stock", ["CATALOG-0002"]),
        rejected(order.order_id, "product-unknown", ["CATALOG-9999"]),
        catalog_service.messaging.product_changed(shelf["CATALOG-0001"]),
        user_service.messaging.user_deleted(uuid4(), NOW),
        audit_recorded(AuditEntry("access", Outcome.REFUSED, "/x", detail={"code": "forbidden"})),
        audit_recorded(AuditEntry("access", Outcome.DONE, "/x", str(uuid4()), times=3)),
    ]


def read(kind: str, payload: Any, models: dict[str, type[BaseModel]]) -> Any:
    """What a consumer with `models` gets from a record with `payload`."""
    headers = cloudevents.headers(uuid4(), kind, "a-service", NOW, None)
    event = cloudevents.parse(b"key", encode(payload), headers, models)
    assert event is not None
    return event.data


def violations(kind: str, payload: Any) -> list[str]:
    validator = Draft202012Validator(
        SCHEMAS[kind], format_checker=Draft202012Validator.FORMAT_CHECKER
    )
    return [error.message for error in validator.iter_errors(payload)]


def undescribed(payload: Any, schema: dict[str, Any]) -> set[str]:
    """Fields of `payload`, however deep, of which `schema` says nothing."""
    if isinstance(payload, list):
        return {name for item in payload for name in undescribed(item, schema.get("items", {}))}
    if not isinstance(payload, dict):
        return set()
    known = schema.get("properties", {})
    deeper = (undescribed(payload[name], known[name]) for name in payload.keys() & known.keys())
    unknown: set[str] = payload.keys() - known.keys()
    return unknown.union(*deeper)


def required(model: type[BaseModel], at: Steps = ()) -> Iterator[Steps]:
    """Where `model` finds each field that it cannot do without."""
    for name, field in model.model_fields.items():
        here = (*at, field.alias or name)
        if field.is_required():
            yield here
        for inner in getattr(field.annotation, "__args__", ()):
            if isinstance(inner, type) and issubclass(inner, BaseModel):
                yield from required(inner, (*here, 0))


def without(payload: Any, path: Steps) -> Any:
    shortened = copy.deepcopy(payload)
    holder = shortened
    for step in path[:-1]:
        holder = holder[step]
    del holder[path[-1]]
    return shortened


READINGS = [(service, kind) for service, models in CONSUMERS.items() for kind in models]
NEEDED = [
    pytest.param(service, kind, path, id=f"{service}-{kind}-{'.'.join(map(str, path))}")
    for service, kind in READINGS
    for path in required(CONSUMERS[service][kind])
]


def test_every_type_of_the_contract_has_a_schema_a_sample_a_producer_and_a_consumer() -> None:
    consumed = {kind for _, kind in READINGS}

    assert SCHEMAS.keys() == PUBLISHED.keys()
    assert SAMPLES.keys() == PUBLISHED.keys()
    assert {message.type for message in produced()} == PUBLISHED.keys()
    assert consumed == PUBLISHED.keys()


@pytest.mark.parametrize("kind", PUBLISHED)
def test_a_schema_is_valid_and_names_its_type(kind: str) -> None:
    Draft202012Validator.check_schema(SCHEMAS[kind])

    assert SCHEMAS[kind]["title"] == kind
    assert SCHEMAS[kind]["$schema"] == Draft202012Validator.META_SCHEMA["$id"]


@pytest.mark.parametrize("kind", PUBLISHED)
def test_a_sample_is_as_its_schema_says(kind: str) -> None:
    assert violations(kind, SAMPLES[kind]) == []
    assert undescribed(SAMPLES[kind], SCHEMAS[kind]) == set()


@pytest.mark.parametrize("message", produced(), ids=lambda message: message.type)
def test_what_a_producer_publishes_is_as_its_schema_says(message: Message) -> None:
    payload = json.loads(encode(message.data))

    assert violations(message.type, payload) == []
    assert undescribed(payload, SCHEMAS[message.type]) == set()


@pytest.mark.parametrize("message", produced(), ids=lambda message: message.type)
def test_a_message_goes_to_its_topic_under_its_key(message: Message) -> None:
    topic, key = PUBLISHED[message.type]

    assert (message.topic, message.key) == (topic, message.data[key])


def test_product_changed_tells_the_stock_after_it_was_taken_and_after_it_was_given_back() -> None:
    shelf = {"CATALOG-0001": Product.create("CATALOG-0001", "Berlin", 1500, 2)}
    reservation, _ = reserve(UUID(int=1), [ReservationLine("CATALOG-0001", 2)], shelf)
    empty = catalog_service.messaging.product_changed(shelf["CATALOG-0001"]).data
    release(reservation, shelf)
    full = catalog_service.messaging.product_changed(shelf["CATALOG-0001"]).data

    assert (empty["stock"], full["stock"]) == (0, 2)
    assert full["version"] > empty["version"]
    assert violations("product.changed", empty) == violations("product.changed", full) == []


@pytest.mark.parametrize(("service", "kind"), READINGS)
def test_a_consumer_reads_the_sample(service: str, kind: str) -> None:
    data = read(kind, SAMPLES[kind], CONSUMERS[service])

    fields = json.loads(data.model_dump_json(by_alias=True))
    assert all(fields[name] == SAMPLES[kind][name] for name in fields if name != "lines")


@pytest.mark.parametrize(("service", "kind"), READINGS)
def test_a_consumer_lets_fields_come_that_it_does_not_know(service: str, kind: str) -> None:
    more = {**SAMPLES[kind], "colour": "red"}
    more["lines"] = [{**line, "colour": "red"} for line in more.get("lines", [])]

    assert read(kind, more, CONSUMERS[service]) == read(kind, SAMPLES[kind], CONSUMERS[service])


@pytest.mark.parametrize(("service", "kind", "path"), NEEDED)
def test_a_consumer_needs_only_what_the_schema_promises_and_refuses_less(
    service: str, kind: str, path: Steps
) -> None:
    less = without(SAMPLES[kind], path)

    assert violations(kind, less), "the schema does not promise what is read here"
    with pytest.raises(BadRecord, match=r"Field required"):
        read(kind, less, CONSUMERS[service])


@pytest.mark.parametrize(("service", "kind"), READINGS)
@pytest.mark.parametrize("value", [b"", b"{no", b"[]", b"null"])
def test_a_consumer_refuses_what_is_no_object(service: str, kind: str, value: bytes) -> None:
    headers = cloudevents.headers(uuid4(), kind, "a-service", NOW, None)

    with pytest.raises(BadRecord):
        cloudevents.parse(b"key", value, headers, CONSUMERS[service])

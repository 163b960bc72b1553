"""Orders over HTTP."""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from typing import Annotated, Any
from uuid import UUID

from flask import Blueprint, Response, jsonify, request
from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticCustomError

from chassis.core.clock import rfc3339
from chassis.core.errors import Invalid, NotTheirs, Problem
from chassis.resilience import deadline
from chassis.runtime.flask import authenticate, body, tag_span
from chassis.runtime.user_store import UserStore
from chassis.web import idempotency_key, pagination, prefer
from chassis.web.auth import Caller, TokenVerifier
from order_service.commands import not_theirs
from order_service.idempotency import IdempotencyKeys, Replay
from order_service.long_poll import LongPoll
from order_service.models import Order, OrderLineRequest, OrderStatus, merge_lines
from order_service.service import Orders

# Below the gateway's time-out, so that a held answer arrives.
LONGEST_WAIT = 8.0
# To read the decision and to write the answer.
ANSWER_SECONDS = 0.5

LARGEST_QUANTITY = 1_000_000

ProductId = Annotated[str, Field(min_length=1, max_length=64)]
Quantity = Annotated[int, Field(ge=1, le=LARGEST_QUANTITY)]
Price = Annotated[int, Field(ge=0, le=1_000_000_000)]


class Body(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, extra="forbid")


class NewLine(Body):
    product_id: ProductId
    qty: Quantity
    unit_price: Price | None = None


class NewOrder(Body):
    """One product, or several lines; not both."""

    product_id: ProductId | None = None
    qty: Quantity | None = None
    unit_price: Price | None = None
    lines: Annotated[list[NewLine], Field(min_length=1, max_length=100)] | None = None

    @model_validator(mode="after")
    def one_form(self) -> "NewOrder":
        single = (self.product_id, self.qty)
        if self.lines is None and None in single:
            raise PydanticCustomError(
                "incomplete", "give productId and qty, or lines: [{productId, qty}, …]"
            )
        if self.lines is not None and (*single, self.unit_price) != (None, None, None):
            raise PydanticCustomError("both", "give productId and qty, or lines, but not both")
        return self

    def requested(self) -> list[OrderLineRequest]:
        """A line a product.  Raises Invalid when there is too much of one altogether."""
        merged = merge_lines(self._all_lines())
        beyond = [line.product_id for line in merged if line.qty > LARGEST_QUANTITY]
        if beyond:
            message = f"more than {LARGEST_QUANTITY} altogether of {', '.join(beyond)}"
            raise Invalid("Some fields are wrong.", errors=[{"field": "lines", "message": message}])
        return merged

    def _all_lines(self) -> list[OrderLineRequest]:
        if self.lines is None:
            assert self.product_id is not None
            assert self.qty is not None
            return [OrderLineRequest(self.product_id, self.qty, self.unit_price)]
        return [OrderLineRequest(line.product_id, line.qty, line.unit_price) for line in self.lines]


def blueprint(
    orders: Orders,
    keys: IdempotencyKeys,
    long_poll: LongPoll,
    tokens: TokenVerifier,
    users: UserStore,
) -> Blueprint:
    api = Blueprint("orders", __name__)
    _add_reads(api, orders, tokens, users)

    @api.post("/<uuid:user_id>/orders")
    def place(user_id: UUID) -> Response:
        _require_own(authenticate(tokens), user_id, _no_user)
        lines, wait = body(NewOrder).requested(), _wait_seconds()
        try:
            with keys.claimed(user_id, _key(), _forms(lines)) as claim:
                order, degraded = orders.place(user_id, lines, claim)
        except Replay as replay:
            tag_span(idempotent_repeat="true")
            order, degraded = orders.order(user_id, replay.order_id), replay.degraded
        hold = _hold_seconds(wait)
        if hold > 0 and long_poll.wait_for_decision(order.order_id, hold):
            return _created(order_json(orders.order(user_id, order.order_id), degraded))
        return _created(placed_json(order, degraded))

    @api.post("/<uuid:user_id>/orders/<uuid:order_id>/cancel")
    def cancel(user_id: UUID, order_id: UUID) -> tuple[Response, int]:
        _require_own(authenticate(tokens), user_id, _no_order)
        try:
            with keys.claimed(user_id, _key(), [f"cancel {order_id}"]) as claim:
                order = orders.cancel(user_id, order_id, claim)
                long_poll.decided([order_id])
        except Replay as replay:
            tag_span(idempotent_repeat="true")
            order = orders.order(user_id, replay.order_id)
        return _answered(order), 202

    return api


def _add_reads(api: Blueprint, orders: Orders, tokens: TokenVerifier, users: UserStore) -> None:
    def require_reader(user_id: UUID, missing: Callable[[UUID], Problem]) -> None:
        caller = authenticate(tokens)
        if not caller.is_admin:
            _require_own(caller, user_id, missing)
        elif caller.subject != str(user_id):
            users.require_admin(caller, request.headers["Authorization"])
            orders.require_open_account(user_id)

    @api.get("/<uuid:user_id>/orders")
    def several(user_id: UUID) -> Response:
        require_reader(user_id, _no_user)
        page = pagination.requested(request.args)
        rows, last = orders.orders(user_id, page)
        response = jsonify([order_json(order) for order in rows])
        path = f"/order-service/{user_id}/orders"
        response.headers.extend(pagination.next_link(path, page, last))
        return response

    @api.get("/<uuid:user_id>/orders/<uuid:order_id>")
    def one(user_id: UUID, order_id: UUID) -> Response:
        require_reader(user_id, _no_order)
        return _answered(orders.order(user_id, order_id))


def order_json(order: Order, degraded: Sequence[str] = ()) -> dict[str, Any]:
    """`degraded` names the services that were away when the order was checked."""
    lines = [line.as_json() for line in order.lines]
    document: dict[str, Any] = {
        "orderId": str(order.order_id),
        "userId": str(order.user_id),
        "status": order.status,
        "lines": lines,
        "totalPrice": order.total_price,
        "createdAt": rfc3339(order.created_at),
    }
    if order.reason:
        document["reason"] = order.reason
    if len(lines) == 1:
        document.update(lines[0])
    if degraded:
        document["degraded"] = list(degraded)
    return document


def _answered(order: Order) -> Response:
    tag_span(order_id=str(order.order_id), order_status=order.status)
    return jsonify(order_json(order))


def placed_json(order: Order, degraded: Sequence[str]) -> dict[str, Any]:
    """The order as it was when it was placed: a request that comes again gets the same answer."""
    document = order_json(order, degraded) | {"status": OrderStatus.PENDING}
    document.pop("reason", None)
    return document


def _require_own(caller: Caller, user_id: UUID, missing: Callable[[UUID], Problem]) -> None:
    """For what is somebody else's the answer is the same as for what there is not."""
    if caller.subject != str(user_id):
        raise missing(user_id)


def _no_user(user_id: UUID) -> Problem:
    return NotTheirs(f"There is no user {user_id}.", code="user-unknown")


def _no_order(_: UUID) -> Problem:
    return not_theirs()


def _key() -> str | None:
    return idempotency_key.parse(request.headers.get("Idempotency-Key"))


def _forms(lines: list[OrderLineRequest]) -> Iterator[str]:
    yield _canonical(lines)
    yield _canonical_0_1(lines)


def _canonical(lines: list[OrderLineRequest]) -> str:
    """The same for two bodies that ask for the same, in whatever order their keys stand."""
    # Without what is empty: keys of before there were `other_prices` are to match.
    documents = [
        {name: value for name, value in asdict(line).items() if value != ()} for line in lines
    ]
    return json.dumps(documents, sort_keys=True, separators=(",", ":"))


def _canonical_0_1(lines: list[OrderLineRequest]) -> str:
    """The form that version 0.1 kept: to be dropped with the column `answer`."""
    return repr(lines).replace("OrderLineRequest(", "Wanted(")


def _wait_seconds() -> float:
    """How long the answer may be held, by the Prefer header (RFC 7240)."""
    return prefer.wait_seconds(request.headers.get("Prefer", ""), LONGEST_WAIT)


def _hold_seconds(wait: float) -> float:
    """So much of it as the request has left: what is placed must not be answered too late."""
    left = deadline.time_left()
    return wait if left is None else min(wait, left - ANSWER_SECONDS)


def _created(document: dict[str, Any]) -> Response:
    tag_span(order_id=document["orderId"], order_status=document["status"])
    if "degraded" in document:
        tag_span(degraded=", ".join(document["degraded"]))
    response = jsonify(document)
    response.status_code = 201
    response.headers["Location"] = (
        f"/order-service/{document['userId']}/orders/{document['orderId']}"
    )
    return response

"""Orders over HTTP."""

import json
from collections.abc import Callable, Iterator
from dataclasses import asdict
from uuid import UUID

from flask import Blueprint, Response, jsonify, request

from chassis.core.errors import NotTheirs, Problem
from chassis.resilience import deadline
from chassis.runtime.flask import authenticate, body, tag_span
from chassis.runtime.user_store import UserStore
from chassis.web import idempotency_key, pagination, prefer
from chassis.web.auth import Caller, TokenVerifier
from chassis.web.documents import EXAMPLE_ID
from chassis.web.operations import Access, SuccessResponse, operation
from order_service.commands import not_theirs, order_unknown
from order_service.documents import (
    EXAMPLE_PRODUCT,
    NewOrder,
    OrderDocument,
    order_json,
    placed_json,
)
from order_service.idempotency import IdempotencyKeys, Replay, in_progress, key_reused
from order_service.long_poll import LongPoll
from order_service.models import (
    Order,
    OrderLineRequest,
    OrderStatus,
    out_of_stock,
    price_changed,
    product_unknown,
    too_late,
)
from order_service.service import Orders, account_closed

# Below the gateway's time-out, so that a held answer arrives.
LONGEST_WAIT = 8.0
# To read the decision and to write the answer.
ANSWER_SECONDS = 0.5

REPEATED = (in_progress(), key_reused())


def user_unknown(user_id: UUID) -> Problem:
    return NotTheirs(f"There is no user {user_id}.", code="user-unknown")


NOBODY = user_unknown(UUID(EXAMPLE_ID))


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
    @operation(
        "Place an order",
        Access.OWNER,
        SuccessResponse(201, OrderDocument, headers={"Location": "Where the order is."}),
        body=NewOrder,
        parameters=(idempotency_key.HEADER, prefer.HEADER),
        problems=(
            NOBODY,
            product_unknown([EXAMPLE_PRODUCT]),
            price_changed([EXAMPLE_PRODUCT]),
            out_of_stock([EXAMPLE_PRODUCT]),
            *REPEATED,
        ),
    )
    def place(user_id: UUID) -> Response:
        _require_own(authenticate(tokens), user_id, user_unknown)
        lines, wait = body(NewOrder).requested(), _wait_seconds()
        try:
            with keys.claimed(user_id, _key(), _forms(lines)) as claim:
                order, degraded = orders.place(user_id, lines, claim, is_awaited=wait > 0)
        except Replay as replay:
            tag_span(idempotent_repeat="true")
            order, degraded = orders.order(user_id, replay.order_id), replay.degraded
        decision = long_poll.wait_for_decision(order.order_id, _hold_seconds(wait))
        if not decision.is_decided:
            return _created(placed_json(order, degraded))
        if decision.move is None:
            order = orders.order(user_id, order.order_id)
        else:
            order.status, order.reason = decision.move.to, decision.move.reason
        return _created(order_json(order, degraded))

    @api.post("/<uuid:user_id>/orders/<uuid:order_id>/cancel")
    @operation(
        "Cancel an order: its stock is given back",
        Access.OWNER,
        SuccessResponse(202, OrderDocument),
        parameters=(idempotency_key.HEADER,),
        problems=(order_unknown(), too_late(OrderStatus.REJECTED), *REPEATED),
    )
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
    @operation(
        "A user's orders, the newest first, a page at a time",
        Access.OWNER_OR_ADMIN,
        SuccessResponse(document=list[OrderDocument], now_and_then=pagination.LINK),
        parameters=pagination.PARAMETERS,
        problems=(NOBODY, account_closed()),
    )
    def several(user_id: UUID) -> Response:
        require_reader(user_id, user_unknown)
        page = pagination.requested(request.args)
        rows, last = orders.orders(user_id, page)
        response = jsonify([order_json(order) for order in rows])
        path = f"/order-service/{user_id}/orders"
        response.headers.extend(pagination.next_link(path, page, last))
        return response

    @api.get("/<uuid:user_id>/orders/<uuid:order_id>")
    @operation(
        "An order",
        Access.OWNER_OR_ADMIN,
        SuccessResponse(document=OrderDocument),
        problems=(order_unknown(), account_closed()),
    )
    def one(user_id: UUID, order_id: UUID) -> Response:
        require_reader(user_id, _no_order)
        return _answered(orders.order(user_id, order_id))


def _answered(order: Order) -> Response:
    tag_span(order_id=str(order.order_id), order_status=order.status)
    return jsonify(order_json(order))


def _require_own(caller: Caller, user_id: UUID, missing: Callable[[UUID], Problem]) -> None:
    """For what is somebody else's the answer is the same as for what there is not."""
    if caller.subject != str(user_id):
        raise missing(user_id)


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


def _created(document: OrderDocument) -> Response:
    tag_span(order_id=document["orderId"], order_status=document["status"])
    if "degraded" in document:
        tag_span(degraded=", ".join(document["degraded"]))
    response = jsonify(document)
    response.status_code = 201
    response.headers["Location"] = (
        f"/order-service/{document['userId']}/orders/{document['orderId']}"
    )
    return response

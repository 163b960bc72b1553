"""Orders over HTTP."""

import re
from typing import Annotated, Any
from uuid import UUID

from flask import Blueprint, Response, jsonify, request
from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticCustomError

from chassis.runtime import flask as flask_adapter
from chassis.runtime.flask import body
from chassis.web import pagination
from chassis.web.auth import TokenVerifier
from order_service.idempotency import Claim, Keys, Replay
from order_service.models import Order
from order_service.service import Orders, Wanted
from order_service.views import order_json
from order_service.waiting import Waiting

# Below the gateway's patience, so that a held answer arrives.
LONGEST_WAIT = 8.0
WAIT = re.compile(r"(?:^|[,;\s])wait\s*=\s*\"?(\d{1,4})\"?")

ProductId = Annotated[str, Field(min_length=1, max_length=64)]
Quantity = Annotated[int, Field(ge=1, le=1_000_000)]
Price = Annotated[int, Field(ge=0, le=1_000_000_000)]


class Body(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="forbid")


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

    def wanted(self) -> list[Wanted]:
        """A line a product; what is wanted twice is added up."""
        merged: dict[str, Wanted] = {}
        for line in self._all_lines():
            before = merged.get(line.product_id, Wanted(line.product_id, 0))
            price = before.unit_price if line.unit_price is None else line.unit_price
            merged[line.product_id] = Wanted(line.product_id, before.qty + line.qty, price)
        return list(merged.values())

    def _all_lines(self) -> list[NewLine]:
        if self.lines is not None:
            return self.lines
        assert self.product_id is not None
        assert self.qty is not None
        return [NewLine(product_id=self.product_id, qty=self.qty, unit_price=self.unit_price)]


def blueprint(orders: Orders, keys: Keys, waiting: Waiting, tokens: TokenVerifier) -> Blueprint:
    api = Blueprint("orders", __name__)

    @api.post("/<uuid:user_id>/orders")
    def place(user_id: UUID) -> Response:
        flask_adapter.caller(tokens).require(str(user_id))
        wanted, patience = body(NewOrder).wanted(), _patience()
        try:
            with keys.claimed(user_id, _key(), _fingerprint(wanted)) as claim:
                order, degraded = orders.place(user_id, wanted, claim)
        except Replay as replay:
            return _placed(replay.answer)
        answer = order_json(order, degraded)
        if patience and waiting.until_decided(order.order_id, patience):
            answer = _decided(orders.order(user_id, order.order_id), degraded, keys, claim)
        return _placed(answer)

    @api.get("/<uuid:user_id>/orders")
    def several(user_id: UUID) -> Response:
        flask_adapter.caller(tokens).require_reach(str(user_id))
        page = pagination.requested(request.args)
        found, last = orders.orders(user_id, page)
        response = jsonify([order_json(each) for each in found])
        path = f"/order-service/{user_id}/orders"
        response.headers.extend(pagination.next_link(path, page, last))
        return response

    @api.get("/<uuid:user_id>/orders/<uuid:order_id>")
    def one(user_id: UUID, order_id: UUID) -> Response:
        flask_adapter.caller(tokens).require_reach(str(user_id))
        return jsonify(order_json(orders.order(user_id, order_id)))

    @api.post("/<uuid:user_id>/orders/<uuid:order_id>/cancel")
    def cancel(user_id: UUID, order_id: UUID) -> tuple[Response, int]:
        flask_adapter.caller(tokens).require(str(user_id))
        try:
            with keys.claimed(user_id, _key(), f"cancel {order_id}".encode()) as claim:
                return jsonify(order_json(orders.cancel(user_id, order_id, claim))), 202
        except Replay as replay:
            return jsonify(replay.answer), 202

    return api


def _key() -> str | None:
    return request.headers.get("Idempotency-Key")


def _fingerprint(wanted: list[Wanted]) -> bytes:
    return repr(wanted).encode()


def _patience() -> float:
    """Seconds that the answer may be held, by the Prefer header (RFC 7240)."""
    match = WAIT.search(request.headers.get("Prefer", ""))
    return min(float(match.group(1)), LONGEST_WAIT) if match else 0.0


def _decided(order: Order, degraded: list[str], keys: Keys, claim: Claim | None) -> dict[str, Any]:
    answer = order_json(order, degraded)
    if claim is not None:
        keys.amend(claim, answer)
    return answer


def _placed(answer: dict[str, Any]) -> Response:
    response = jsonify(answer)
    response.status_code = 201
    response.headers["Location"] = f"/order-service/{answer['userId']}/orders/{answer['orderId']}"
    return response

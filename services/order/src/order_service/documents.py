"""What is read and answered as JSON, and the rules of each field."""

from collections.abc import Sequence
from typing import Annotated, NotRequired

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic.alias_generators import to_camel
from pydantic.config import JsonDict
from pydantic_core import PydanticCustomError

from chassis.core.clock import rfc3339
from chassis.core.errors import Invalid
from chassis.web.documents import Document, Moment, Uuid
from chassis.web.storable import STORABLE
from order_service.models import Order, OrderLine, OrderLineRequest, OrderStatus, merge_lines

EXAMPLE_PRODUCT = "CATALOG-0001"
LARGEST_QUANTITY = 1_000_000

ProductId = Annotated[
    str,
    Field(
        min_length=1,
        max_length=64,
        examples=[EXAMPLE_PRODUCT],
        json_schema_extra={"pattern": STORABLE},
    ),
]
Quantity = Annotated[int, Field(ge=1, le=LARGEST_QUANTITY, examples=[2])]
Price = Annotated[int, Field(ge=0, le=1_000_000_000, examples=[1500])]
# What `NewOrder.one_form` checks, in JSON Schema's terms.
SINGLE_LINE: JsonDict = {
    "required": ["productId", "qty"],
    "properties": {
        "productId": {"type": "string"},
        "qty": {"type": "integer"},
        "lines": {"type": "null"},
    },
}
SEVERAL_LINES: JsonDict = {
    "required": ["lines"],
    "properties": {
        "lines": {"type": "array"},
        "productId": {"type": "null"},
        "qty": {"type": "null"},
        "unitPrice": {"type": "null"},
    },
}


class Body(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, extra="forbid")


class NewLine(Body):
    product_id: ProductId
    qty: Quantity
    unit_price: Price | None = None


class NewOrder(Body):
    """One product, or several lines; not both."""

    model_config = ConfigDict(
        json_schema_extra={
            "oneOf": [SINGLE_LINE, SEVERAL_LINES],
            "examples": [{"productId": EXAMPLE_PRODUCT, "qty": 2}],
        }
    )

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


class LineDocument(Document):
    productId: Annotated[str, Field(examples=[EXAMPLE_PRODUCT])]
    qty: Annotated[int, Field(examples=[2])]
    unitPrice: Annotated[int, Field(examples=[1500])]


class OrderDocument(Document):
    """An order of a single line says that line as well.

    `reason` is that of a rejected one; `degraded` names the services that were away when the order
    was checked.
    """

    orderId: Uuid
    userId: Uuid
    status: Annotated[OrderStatus, Field(examples=["PENDING"])]
    lines: list[LineDocument]
    totalPrice: Annotated[int, Field(examples=[3000])]
    createdAt: Moment
    reason: NotRequired[Annotated[str, Field(examples=["out-of-stock"])]]
    productId: NotRequired[Annotated[str, Field(examples=[EXAMPLE_PRODUCT])]]
    qty: NotRequired[Annotated[int, Field(examples=[2])]]
    unitPrice: NotRequired[Annotated[int, Field(examples=[1500])]]
    degraded: NotRequired[Annotated[list[str], Field(examples=[["catalog-service"]])]]


def order_json(order: Order, degraded: Sequence[str] = ()) -> OrderDocument:
    lines = [_line_json(line) for line in order.lines]
    document: OrderDocument = {
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
        document["productId"] = lines[0]["productId"]
        document["qty"] = lines[0]["qty"]
        document["unitPrice"] = lines[0]["unitPrice"]
    if degraded:
        document["degraded"] = list(degraded)
    return document


def _line_json(line: OrderLine) -> LineDocument:
    return {"productId": line.product_id, "qty": line.qty, "unitPrice": line.unit_price}


def placed_json(order: Order, degraded: Sequence[str]) -> OrderDocument:
    """The order as it was when it was placed: a request that comes again gets the same answer."""
    document = order_json(order, degraded)
    document["status"] = OrderStatus.PENDING
    document.pop("reason", None)
    return document

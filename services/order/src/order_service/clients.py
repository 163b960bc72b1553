"""catalog-service, asked for prices and stock."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import urlencode

from pydantic import BaseModel, Field, TypeAdapter, ValidationError
from pydantic.alias_generators import to_camel

from chassis.core.errors import Problem, Unavailable
from chassis.resilience.service_client import ServiceClient
from order_service.models import ProductSnapshot


class CatalogProduct(BaseModel):
    """What is read of a product in the answer."""

    model_config = {"alias_generator": to_camel, "frozen": True}

    product_id: str
    unit_price: Annotated[int, Field(ge=0)]
    stock: int


# What catalog-service takes: of an address, and of products in one.
LONGEST_QUERY = 6_000
MOST_PRODUCTS = 200

PRODUCTS = TypeAdapter(list[CatalogProduct])


@dataclass(frozen=True)
class CatalogClient:
    service: ServiceClient

    def products(self, product_ids: Collection[str], orders: int = 1) -> dict[str, ProductSnapshot]:
        """Those of `product_ids`, of so many orders, that there are.

        Raises Unavailable, and its kinds.
        """
        return {
            product.product_id: ProductSnapshot(
                product.product_id, product.unit_price, product.stock
            )
            for part in _by_length(product_ids)
            for product in self._ask(part, orders)
        }

    def _ask(self, product_ids: Sequence[str], orders: int) -> list[CatalogProduct]:
        answer = self.service.get(
            "/catalogs",
            "/catalogs",
            params=[("productId", product_id) for product_id in product_ids],
            weight=orders,
            fallback="products as they were last known",
        )
        if answer.status_code != 200:
            # It is there, and not away: to go on with what was last known would hide it.
            raise Problem(f"catalog-service refused the question with {answer.status_code}.")
        try:
            return PRODUCTS.validate_json(answer.content)
        except ValidationError as error:
            raise Unavailable("catalog-service gave no proper answer.") from error


def _by_length(product_ids: Iterable[str]) -> Iterator[list[str]]:
    """In parts that fit an address: who orders strange products must not break others' question."""
    part: list[str] = []
    length = 0
    for product_id in product_ids:
        own = len(urlencode({"productId": product_id})) + 1
        if part and (length + own > LONGEST_QUERY or len(part) == MOST_PRODUCTS):
            yield part
            part, length = [], 0
        part.append(product_id)
        length += own
    yield part

"""catalog-service, asked for prices and stock."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Annotated

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


PRODUCTS = TypeAdapter(list[CatalogProduct])


@dataclass(frozen=True)
class CatalogClient:
    service: ServiceClient

    def products(self, product_ids: Collection[str]) -> dict[str, ProductSnapshot]:
        """Those of `product_ids` that there are.  Raises Unavailable, and its kinds."""
        answer = self.service.get(
            "/catalogs",
            "/catalogs",
            params=[("productId", product_id) for product_id in product_ids],
        )
        if answer.status_code != 200:
            # It is there, and not away: to go on with what was last known would hide it.
            raise Problem(f"catalog-service refused the question with {answer.status_code}.")
        try:
            products = PRODUCTS.validate_json(answer.content)
        except ValidationError as error:
            raise Unavailable("catalog-service gave no proper answer.") from error
        return {
            product.product_id: ProductSnapshot(
                product.product_id, product.unit_price, product.stock
            )
            for product in products
        }

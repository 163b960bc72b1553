"""catalog-service, asked for prices and stock."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Annotated

from pydantic import BaseModel, Field, TypeAdapter, ValidationError
from pydantic.alias_generators import to_camel

from chassis.core.errors import Unavailable
from chassis.resilience.service_client import ServiceClient


class Offer(BaseModel):
    """A product as catalog-service offers it now."""

    model_config = {"alias_generator": to_camel, "populate_by_name": True, "frozen": True}

    product_id: str
    unit_price: Annotated[int, Field(ge=0)]
    stock: int


OFFERS = TypeAdapter(list[Offer])


@dataclass(frozen=True)
class CatalogClient:
    neighbour: ServiceClient

    def offers(self, product_ids: Collection[str]) -> dict[str, Offer]:
        """Those of `product_ids` that there are.  Raises Unavailable, and its kinds."""
        answer = self.neighbour.get(
            "/catalogs", "/catalogs", params=[("productId", each) for each in product_ids]
        )
        try:
            found = OFFERS.validate_json(answer.content)
        except ValidationError as error:
            raise Unavailable("catalog-service gave no proper answer.") from error
        return {offer.product_id: offer for offer in found}

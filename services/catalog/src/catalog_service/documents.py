"""What is read and answered as JSON, and the rules of each field."""

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from catalog_service.models import Product
from chassis.core.clock import rfc3339
from chassis.web import names
from chassis.web.documents import Document, Moment

EXAMPLE_PRODUCT = "CATALOG-0001"
LONGEST_NAME = 200

ProductId = Annotated[
    str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$", examples=[EXAMPLE_PRODUCT])
]
Name = Annotated[
    str,
    AfterValidator(names.one_line(LONGEST_NAME)),
    Field(examples=["Berlin"], json_schema_extra=names.schema(LONGEST_NAME)),
]
Amount = Annotated[int, Field(ge=0, le=1_000_000_000, examples=[100])]


class Body(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, extra="forbid")


class NewProduct(Body):
    product_id: ProductId
    product_name: Name
    unit_price: Amount
    stock: Amount


class ProductChanges(Body):
    product_name: Name | None = None
    unit_price: Amount | None = None
    add_stock: Amount | None = None


class ProductDocument(Document):
    productId: Annotated[str, Field(examples=[EXAMPLE_PRODUCT])]
    productName: Annotated[str, Field(examples=["Berlin"])]
    unitPrice: Annotated[int, Field(examples=[1500])]
    stock: Annotated[int, Field(examples=[100])]
    createdAt: Moment


def product_json(product: Product) -> ProductDocument:
    return {
        "productId": product.product_id,
        "productName": product.product_name,
        "unitPrice": product.unit_price,
        "stock": product.stock,
        "createdAt": rfc3339(product.created_at),
    }

"""The catalog over HTTP."""

from typing import Annotated, Any

from flask import Blueprint, Response, jsonify, request
from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from catalog_service.models import Product
from catalog_service.service import Catalog
from chassis.core.clock import rfc3339
from chassis.core.errors import Invalid
from chassis.runtime.flask import authenticate_admin, body
from chassis.runtime.user_store import UserStore
from chassis.web import pagination
from chassis.web.auth import TokenVerifier
from chassis.web.names import one_line

ProductId = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
Name = Annotated[str, AfterValidator(one_line(200))]
Amount = Annotated[int, Field(ge=0, le=1_000_000_000)]


# A crowd that looks at the same costs one query a second; a stock that cannot be asked for is
# reported as away, and not as what it was.
CACHEABLE = {"Cache-Control": "max-age=1, stale-if-error=0"}


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


def blueprint(catalog: Catalog, tokens: TokenVerifier, users: UserStore) -> Blueprint:
    api = Blueprint("catalog", __name__)

    @api.get("/catalogs")
    def products() -> Response:
        product_ids = request.args.getlist("productId")
        if product_ids:
            _refuse_too_many(product_ids)
            return _cacheable([_json(product) for product in catalog.of(product_ids)])
        page = pagination.requested(request.args)
        rows, last = catalog.products(page)
        response = _cacheable([_json(product) for product in rows])
        response.headers.extend(pagination.next_link("/catalog-service/catalogs", page, last))
        return response

    @api.get("/catalogs/<product_id>")
    @api.get("/<product_id>")
    def product(product_id: str) -> Response:
        return _cacheable(_json(catalog.product(product_id)))

    @api.post("/catalogs")
    def create() -> tuple[Response, int, dict[str, str]]:
        authenticate_admin(tokens, users)
        new = body(NewProduct)
        product = catalog.create(new.product_id, new.product_name, new.unit_price, new.stock)
        location = f"/catalog-service/catalogs/{product.product_id}"
        return jsonify(_json(product)), 201, {"Location": location}

    @api.patch("/catalogs/<product_id>")
    def change(product_id: str) -> Response:
        authenticate_admin(tokens, users)
        changes = body(ProductChanges)
        product = catalog.change(
            product_id, changes.product_name, changes.unit_price, changes.add_stock
        )
        return jsonify(_json(product))

    return api


def _refuse_too_many(product_ids: list[str]) -> None:
    if len(product_ids) > pagination.LARGEST_LIMIT:
        message = f"at most {pagination.LARGEST_LIMIT} of them, not {len(product_ids)}"
        raise Invalid("Some fields are wrong.", errors=[{"field": "productId", "message": message}])


def _cacheable(document: Any) -> Response:
    response = jsonify(document)
    response.headers.extend(CACHEABLE)
    return response


def _json(product: Product) -> dict[str, Any]:
    return {
        "productId": product.product_id,
        "productName": product.product_name,
        "unitPrice": product.unit_price,
        "stock": product.stock,
        "createdAt": rfc3339(product.created_at),
    }

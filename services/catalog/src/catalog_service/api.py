"""The catalog over HTTP."""

from typing import Any

from flask import Blueprint, Response, jsonify, request

from catalog_service.documents import (
    EXAMPLE_PRODUCT,
    NewProduct,
    ProductChanges,
    ProductDocument,
    product_json,
)
from catalog_service.service import Catalog, exists, unknown
from chassis.core.errors import Invalid
from chassis.runtime.flask import audited, authenticate_admin, body
from chassis.runtime.user_store import UserStore
from chassis.web import pagination
from chassis.web.auth import TokenVerifier
from chassis.web.operations import Access, Parameter, SuccessResponse, operation
from chassis.web.storable import STORABLE

# A crowd that looks at the same costs one query a second; a stock that cannot be asked for is
# reported as away, and not as what it was.
CACHEABLE = {"Cache-Control": "max-age=1, stale-if-error=0"}


CACHE_CONTROL = {"Cache-Control": "For how long it may be kept."}
PRODUCT_ID = Parameter(
    "productId", "path", "An id, as the catalog has it.", {"type": "string"}, EXAMPLE_PRODUCT
)
PRODUCT_IDS = Parameter(
    "productId",
    "query",
    "Those products alone: the parameter may come so many times.",
    {
        "type": "array",
        "items": {"type": "string", "pattern": STORABLE},
        "maxItems": pagination.LARGEST_LIMIT,
    },
    [EXAMPLE_PRODUCT],
)


def blueprint(catalog: Catalog, tokens: TokenVerifier, users: UserStore) -> Blueprint:
    api = Blueprint("catalog", __name__)

    @api.get("/catalogs")
    @operation(
        "All products, a page at a time",
        Access.ANYONE,
        SuccessResponse(
            document=list[ProductDocument], headers=CACHE_CONTROL, now_and_then=pagination.LINK
        ),
        parameters=(*pagination.PARAMETERS, PRODUCT_IDS),
    )
    def products() -> Response:
        page, product_ids = pagination.requested(request.args), request.args.getlist("productId")
        if product_ids:
            _refuse_too_many(product_ids)
            return _cacheable([product_json(product) for product in catalog.of(product_ids)])
        rows, last = catalog.products(page)
        response = _cacheable([product_json(product) for product in rows])
        response.headers.extend(pagination.next_link("/catalog-service/catalogs", page, last))
        return response

    @api.get("/catalogs/<product_id>")
    @api.get("/<product_id>")
    @operation(
        "A product",
        Access.ANYONE,
        SuccessResponse(document=ProductDocument, headers=CACHE_CONTROL),
        parameters=(PRODUCT_ID,),
        problems=(unknown(EXAMPLE_PRODUCT),),
    )
    def product(product_id: str) -> Response:
        return _cacheable(product_json(catalog.product(product_id)))

    @api.post("/catalogs")
    @operation(
        "Add a product",
        Access.ADMIN,
        SuccessResponse(201, ProductDocument, headers={"Location": "Where the product is."}),
        body=NewProduct,
        problems=(exists(EXAMPLE_PRODUCT),),
    )
    def create() -> tuple[Response, int, dict[str, str]]:
        authenticate_admin(tokens, users)
        new = body(NewProduct)
        values = new.model_dump(by_alias=True)
        audit = audited("product.create", f"/catalogs/{new.product_id}", **values)
        product = catalog.create(new.product_id, new.product_name, new.unit_price, new.stock, audit)
        location = f"/catalog-service/catalogs/{product.product_id}"
        return jsonify(product_json(product)), 201, {"Location": location}

    @api.patch("/catalogs/<product_id>")
    @operation(
        "Change a product, or add to its stock",
        Access.ADMIN,
        SuccessResponse(document=ProductDocument),
        body=ProductChanges,
        parameters=(PRODUCT_ID,),
        problems=(unknown(EXAMPLE_PRODUCT),),
    )
    def change(product_id: str) -> Response:
        authenticate_admin(tokens, users)
        changes = body(ProductChanges)
        values = changes.model_dump(by_alias=True, exclude_none=True)
        audit = audited("product.change", f"/catalogs/{product_id}", **values)
        product = catalog.change(
            product_id, changes.product_name, changes.unit_price, changes.add_stock, audit
        )
        return jsonify(product_json(product))

    return api


def _refuse_too_many(product_ids: list[str]) -> None:
    if len(product_ids) > pagination.LARGEST_LIMIT:
        message = f"at most {pagination.LARGEST_LIMIT} of them, not {len(product_ids)}"
        raise Invalid("Some fields are wrong.", errors=[{"field": "productId", "message": message}])


def _cacheable(document: Any) -> Response:
    response = jsonify(document)
    response.headers.extend(CACHEABLE)
    return response

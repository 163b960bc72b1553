"""Whatever comes, catalog-service answers it, and never with a fault of its own."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from ..any_request import (
    BODIES,
    HEADERS,
    JSON,
    MANY,
    QUERIES,
    SEGMENTS,
    TYPES,
    assert_answered,
    path_of,
)

AMOUNTS = st.integers(-1, 10**10) | st.none() | JSON


@MANY
@given(st.sampled_from(["POST", "PATCH"]), BODIES, TYPES, HEADERS)
def test_any_body_of_an_admin_is_a_product_or_refused(
    catalog: Any, method: str, body: bytes, content_type: str, headers: dict[str, str]
) -> None:
    path = "/catalogs" if method == "POST" else "/catalogs/CATALOG-0001"
    headers = {**headers, **catalog.admin}

    answer = catalog.client.open(
        path, method=method, data=body, content_type=content_type, headers=headers
    )

    assert_answered(answer)


@MANY
@given(st.text() | JSON, st.text() | JSON, AMOUNTS, AMOUNTS)
def test_any_product_is_kept_or_refused(
    catalog: Any, product_id: Any, name: Any, price: Any, stock: Any
) -> None:
    new = {"productId": product_id, "productName": name, "unitPrice": price, "stock": stock}
    changed = {"productName": name, "unitPrice": price, "addStock": stock}

    assert_answered(catalog.client.post("/catalogs", json=new, headers=catalog.admin))
    path = "/catalogs/CATALOG-0002"
    assert_answered(catalog.client.patch(path, json=changed, headers=catalog.admin))


@MANY
@given(st.lists(SEGMENTS, max_size=3), QUERIES, HEADERS)
def test_any_address_has_an_answer(
    catalog: Any, segments: list[str], query: dict[str, str], headers: dict[str, str]
) -> None:
    path = path_of(segments)
    if "health" in path:
        return

    assert_answered(catalog.client.get("/" + path, query_string=query, headers=headers))
    assert_answered(catalog.client.get("/catalogs", query_string=query, headers=headers))

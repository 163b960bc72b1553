"""Whatever comes, order-service answers it, and never with a fault of its own."""

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

METHODS = st.sampled_from(["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"])


@MANY
@given(BODIES, TYPES, HEADERS)
def test_any_body_with_any_headers_is_an_order_or_refused(
    user: Any, body: bytes, content_type: str, headers: dict[str, str]
) -> None:
    headers.pop("Authorization", None)
    answer = user.call("POST", "orders", data=body, content_type=content_type, headers=headers)

    assert_answered(answer)


@MANY
@given(
    st.lists(
        st.fixed_dictionaries(
            {"productId": st.sampled_from("ABX"), "qty": st.integers(-1, 10**7)},
            optional={"unitPrice": st.integers(-1, 10**10)},
        ),
        max_size=4,
    )
)
def test_any_lines_are_an_order_or_refused(user: Any, lines: list[dict[str, Any]]) -> None:
    assert_answered(user.place(lines=lines))


@MANY
@given(METHODS, st.lists(SEGMENTS, max_size=4), QUERIES, HEADERS, st.booleans())
def test_any_address_has_an_answer(
    user: Any,
    method: str,
    segments: list[str],
    query: dict[str, str],
    headers: dict[str, str],
    is_own: bool,
) -> None:
    path = path_of(segments)
    own = user.issuer.headers(user.user_id) if is_own else {}
    start = f"/{user.user_id}/" if is_own else "/"

    answer = user.client.open(
        start + path, method=method, query_string=query, headers={**headers, **own}
    )

    if "health" not in path:
        assert answer.status_code < 500, answer.text
    if method != "HEAD" and answer.status_code >= 400 and "actuator" not in path:
        assert_answered(answer)


@MANY
@given(QUERIES, JSON)
def test_any_page_is_a_page_or_refused(user: Any, query: dict[str, str], cursor: Any) -> None:
    assert_answered(user.call("GET", "orders", query_string=query))
    assert_answered(user.call("GET", "orders", query_string={"cursor": str(cursor)}))

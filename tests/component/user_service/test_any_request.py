"""Whatever comes, user-service answers it, and never with a fault of its own."""

from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ..any_request import (
    BODIES,
    HEADERS,
    JSON,
    MANY,
    QUERIES,
    SEGMENTS,
    TEXTS,
    TYPES,
    assert_answered,
    path_of,
)


@pytest.fixture(scope="module")
def admin(running: Any) -> str:
    return str(running.admin_token())


@MANY
@given(st.sampled_from(["/users", "/login"]), BODIES, TYPES, HEADERS)
def test_any_body_is_an_account_or_refused(
    users: Any, path: str, body: bytes, content_type: str, headers: dict[str, str]
) -> None:
    assert_answered(users.call("POST", path, data=body, content_type=content_type, headers=headers))


@MANY
@given(TEXTS | JSON, TEXTS | JSON, TEXTS)
def test_any_account_is_made_or_refused(users: Any, name: Any, password: Any, email: str) -> None:
    new = {"email": f"{uuid4()}@example.org", "name": name, "password": password}

    assert_answered(users.call("POST", "/users", json=new))
    assert_answered(users.call("POST", "/users", json={**new, "email": email}))
    assert_answered(users.call("POST", "/login", json={"email": email, "password": password}))


@MANY
@given(TEXTS | JSON, TEXTS | JSON)
def test_any_change_is_made_or_refused(users: Any, admin: str, name: Any, role: Any) -> None:
    own = users.call("GET", "/users?limit=1", admin).json[0]["userId"]

    assert_answered(users.call("PATCH", f"/users/{own}", admin, json={"name": name}))
    assert_answered(users.call("PATCH", f"/users/{own}", admin, json={"name": name, "role": role}))


@MANY
@given(st.lists(SEGMENTS, max_size=3), QUERIES, HEADERS)
def test_any_address_has_an_answer(
    users: Any, admin: str, segments: list[str], query: dict[str, str], headers: dict[str, str]
) -> None:
    path = path_of(segments)
    if "health" in path:
        return

    assert_answered(users.call("GET", "/" + path, query_string=query, headers=headers))
    assert_answered(users.call("GET", "/users", admin, query_string=query))

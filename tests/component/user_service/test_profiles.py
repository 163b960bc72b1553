"""A user's page, its orders, and who may see and change whom."""

import json
from typing import Any
from uuid import uuid4

import pytest

from .answers import code, fields, rows


def test_a_profile_shows_the_orders_asked_for_in_the_callers_name(users: Any) -> None:
    ada = users.member()
    users.order_service.answer = json.dumps([{"orderId": "1"}]).encode()

    answer = users.call("GET", ada.path, ada.token)

    assert answer.status_code == 200
    assert set(answer.json) == {"userId", "email", "name", "createdAt", "orders"}
    assert answer.json["orders"] == [{"orderId": "1"}]
    (path, headers) = users.order_service.asked[0]
    assert path == f"/{ada.id}/orders?limit=200"
    assert headers["Authorization"] == f"Bearer {ada.token}"
    assert headers["X-B3-TraceId"]


@pytest.mark.parametrize(
    ("status", "answer"), [(500, b"[]"), (401, b"{}"), (200, b"no JSON"), (200, b"{}")]
)
def test_a_profile_is_degraded_when_order_service_gives_no_good_answer(
    users: Any, status: int, answer: bytes
) -> None:
    ada = users.member()
    users.order_service.status, users.order_service.answer = status, answer

    profile = users.call("GET", ada.path, ada.token)

    assert profile.status_code == 200
    assert (profile.json["orders"], profile.json["degraded"]) == ([], ["order-service"])


def test_a_profile_is_degraded_without_order_service_and_well_when_it_is_back(users: Any) -> None:
    ada = users.member()
    there, users.process.registry.instances = users.process.registry.instances, {}

    answers = [users.call("GET", ada.path, ada.token) for _ in range(6)]

    assert [answer.json.get("degraded") for answer in answers] == 6 * [["order-service"]]
    assert users.process.breakers.of("order-service").state == "OPEN"
    users.process.registry.instances = there
    users.process.breakers.of("order-service")._opened_at -= 60
    assert "degraded" not in users.call("GET", ada.path, ada.token).json


@pytest.mark.parametrize(
    ("method", "part", "body"),
    [
        ("GET", "", None),
        ("PATCH", "", {"name": "E"}),
        ("DELETE", "", None),
        ("GET", "/roles", None),
        ("PUT", "/roles/admin", None),
        ("DELETE", "/roles/admin", None),
    ],
)
def test_a_user_is_not_told_whether_somebody_elses_account_exists(
    users: Any, method: str, part: str, body: Any
) -> None:
    ada, eve, left = users.member(), users.member(), users.member()
    assert users.call("DELETE", left.path, left.token).status_code == 204

    answers = [
        users.call(method, f"/users/{user_id}{part}", eve.token, json=body)
        for user_id in (ada.id, left.id, uuid4())
    ]

    assert {code(answer) for answer in answers} == {(404, "user-unknown")}
    assert len({answer.json["detail"].partition("user ")[0] for answer in answers}) == 1
    assert users.order_service.asked == []


def test_a_user_reaches_only_what_is_theirs(users: Any) -> None:
    ada, eve = users.member(), users.member()

    users.call("PATCH", ada.path, eve.token, json={"name": "E"})

    assert code(users.call("GET", "/users", eve.token)) == (403, "forbidden")
    assert users.call("GET", ada.path, ada.token).json["name"] == "Ada"


def test_an_admin_reaches_everybody(users: Any) -> None:
    ada, admin = users.member(), users.admin_token()

    assert users.call("GET", ada.path, admin).json["email"] == ada.email
    assert users.call("PATCH", ada.path, admin, json={"name": "A."}).json["name"] == "A."
    assert code(users.call("GET", f"/users/{uuid4()}", admin)) == (404, "user-unknown")
    assert code(users.call("GET", "/users/nobody", admin)) == (404, "not-found")
    assert users.call("DELETE", ada.path, admin).status_code == 204
    assert code(users.call("DELETE", ada.path, admin)) == (404, "user-unknown")


def test_the_list_goes_page_by_page_to_its_end(users: Any) -> None:
    admin, everybody = users.admin_token(), [users.member().id for _ in range(3)]
    user_ids, path = [], "/users?limit=2"
    while path:
        answer = users.call("GET", path, admin)
        assert len(answer.json) <= 2
        user_ids += [user["userId"] for user in answer.json]
        link = answer.headers.get("Link", "")
        assert not link or link.startswith("</user-service/users?limit=2&cursor=")
        path = link.removeprefix("</user-service").partition(">")[0]

    assert user_ids == sorted(user_ids)
    assert user_ids[-3:] == everybody
    assert len(user_ids) == len(rows(users, "SELECT id FROM users WHERE deleted_at IS NULL"))


@pytest.mark.parametrize("limit", ["0", "201", "-1", "1.5", "ten", "", "0001999", "٣"])
def test_a_limit_out_of_bounds_is_refused(users: Any, limit: str) -> None:
    query = {"limit": limit}
    answer = users.call("GET", "/users", users.admin_token(), query_string=query)
    assert fields(answer) == {"limit"}


@pytest.mark.parametrize("cursor", ["", "nobody", "bm9ib2R5", "AAAA", "%ff", "é"])
def test_an_invented_cursor_is_refused(users: Any, cursor: str) -> None:
    query = {"cursor": cursor}
    answer = users.call("GET", "/users", users.admin_token(), query_string=query)
    assert fields(answer) == {"cursor"}

"""Registering, looking, changing and deleting, over HTTP and on a real PostgreSQL."""

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import text

from chassis import database
from user_service import main, prepare
from user_service.models import Base
from user_service.settings import UserSettings


def rows(users: Any, query: str, **given: Any) -> list[Any]:
    with users.engine.connect() as connection:
        return list(connection.execute(text(query), given).mappings())


def fields(answer: Any) -> set[str]:
    assert answer.status_code == 422, answer.text
    assert answer.content_type == "application/problem+json"
    return {error["field"] for error in answer.json["errors"]}


def code(answer: Any) -> tuple[int, str]:
    assert answer.content_type == "application/problem+json"
    return answer.status_code, answer.json["code"]


def test_the_migrations_make_what_the_models_describe(users: Any) -> None:
    with users.engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), Base.metadata) == []


def test_a_new_user_is_answered_without_the_password(users: Any) -> None:
    answer = users.register(email="grace@example.org", name="  Grace Hopper ")

    assert answer.status_code == 201
    assert set(answer.json) == {"userId", "email", "name", "createdAt"}
    assert answer.json["name"] == "Grace Hopper"
    assert answer.json["createdAt"].endswith("Z")
    assert answer.headers["Location"] == f"/user-service/users/{answer.json['userId']}"


def test_the_ancestors_pwd_is_taken_for_password(users: Any) -> None:
    new = {"email": "pwd@example.org", "name": "Pwd", "pwd": "long enough"}

    assert users.call("POST", "/users", json=new).status_code == 201
    assert users.log_in("pwd@example.org", "long enough").status_code == 200


def test_an_email_is_taken_whatever_its_case(users: Any) -> None:
    users.register(email="Case@example.org")

    assert code(users.register(email="cASE@Example.org")) == (409, "email-taken")


def test_of_many_who_race_for_an_email_one_gets_it(users: Any) -> None:
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda _: users.register(email="race@example.org"), range(8)))

    assert sorted(answer.status_code for answer in answers) == [201] + 7 * [409]


@pytest.mark.parametrize(
    ("given", "wrong"),
    [
        ({}, {"email", "name", "password"}),
        ({"email": "ada@example.org", "name": "Ada"}, {"password"}),
        ({"email": "nobody", "name": "", "password": "short"}, {"email", "name", "password"}),
        ({"email": "a@b", "name": "   ", "pwd": "short"}, {"email", "name", "pwd"}),
        ({"email": f"{'a' * 250}@b.org", "name": "a" * 101, "password": "a" * 129},
         {"email", "name", "password"}),
        ({"email": 1, "name": None, "password": ["long enough"]}, {"email", "name", "password"}),
        ({"email": "a\0@b.org", "name": "a\0b", "password": "long enough"}, {"email", "name"}),
        ({"email": "a@b.org\n", "name": "A", "password": "long enough"}, {"email"}),
        ({"email": "a@b.org", "name": "A", "password": "long enough", "admin": True}, {"admin"}),
        ({"email": "a@b.org", "name": "A", "password": "long enough", "pwd": "long enough"},
         {"pwd"}),
    ],
)  # fmt: skip
def test_each_bad_field_is_named_and_nothing_is_written(
    users: Any, given: dict[str, Any], wrong: set[str]
) -> None:
    before = rows(users, "SELECT count(*) FROM users")

    assert fields(users.call("POST", "/users", json=given)) == wrong
    assert rows(users, "SELECT count(*) FROM users") == before


def test_a_refused_password_is_not_repeated(users: Any) -> None:
    assert "s3cret!" not in users.register(password="s3cret!").text


@pytest.mark.parametrize(
    ("given", "status", "slug"),
    [
        ({"data": "{", "content_type": "application/json"}, 400, "malformed-request"),
        ({"data": b"\xff\xfe", "content_type": "application/json"}, 400, "malformed-request"),
        ({"data": b'{"email": "\\ud800"}', "content_type": "application/json"},
         400, "malformed-request"),
        ({"data": "", "content_type": "application/json"}, 400, "malformed-request"),
        ({"data": "email=a", "content_type": "application/x-www-form-urlencoded"},
         415, "unsupported-media-type"),
        ({"data": "{}"}, 415, "unsupported-media-type"),
        ({"json": {"email": "a" * 20_000}}, 413, "body-too-large"),
        ({"json": []}, 422, "invalid-request"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("path", ["/users", "/login"])
def test_what_cannot_be_read_is_refused(
    users: Any, path: str, given: dict[str, Any], status: int, slug: str
) -> None:
    assert code(users.call("POST", path, **given)) == (status, slug)


@pytest.mark.parametrize(
    ("method", "path"), [("PUT", "/users"), ("GET", "/login"), ("POST", f"/users/{uuid4()}")]
)
def test_a_wrong_method_is_answered_with_the_right_ones(users: Any, method: str, path: str) -> None:
    answer = users.call(method, path)

    assert code(answer) == (405, "method-not-allowed")
    assert answer.headers["Allow"]


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
def test_a_profile_says_that_order_service_gave_no_answer(
    users: Any, status: int, answer: bytes
) -> None:
    ada = users.member()
    users.order_service.status, users.order_service.answer = status, answer

    found = users.call("GET", ada.path, ada.token)

    assert found.status_code == 200
    assert (found.json["orders"], found.json["degraded"]) == ([], ["order-service"])


def test_a_profile_is_degraded_without_order_service_and_well_when_it_is_back(users: Any) -> None:
    ada = users.member()
    there, users.process.registry.instances = users.process.registry.instances, {}

    answers = [users.call("GET", ada.path, ada.token) for _ in range(6)]

    assert [answer.json.get("degraded") for answer in answers] == 6 * [["order-service"]]
    assert users.process.breakers.of("order-service").state == "OPEN"
    users.process.registry.instances = there
    users.process.breakers.of("order-service")._opened_at -= 60
    assert "degraded" not in users.call("GET", ada.path, ada.token).json


def test_a_user_reaches_only_what_is_theirs(users: Any) -> None:
    ada, eve = users.member(), users.member()

    assert code(users.call("GET", ada.path, eve.token)) == (403, "forbidden")
    assert code(users.call("GET", f"/users/{uuid4()}", eve.token)) == (403, "forbidden")
    assert code(users.call("PATCH", ada.path, eve.token, json={"name": "E"})) == (403, "forbidden")
    assert code(users.call("DELETE", ada.path, eve.token)) == (403, "forbidden")
    assert code(users.call("GET", "/users", eve.token)) == (403, "forbidden")
    assert users.order_service.asked == []
    assert users.call("GET", ada.path, ada.token).json["name"] == "Ada"


def test_an_admin_reaches_everybody(users: Any) -> None:
    ada, admin = users.member(), users.admin_token()

    assert users.call("GET", ada.path, admin).json["email"] == ada.email
    assert users.call("PATCH", ada.path, admin, json={"name": "A."}).json["name"] == "A."
    assert code(users.call("GET", f"/users/{uuid4()}", admin)) == (404, "user-unknown")
    assert code(users.call("GET", "/users/nobody", admin)) == (404, "not-found")
    assert users.call("DELETE", ada.path, admin).status_code == 204
    assert code(users.call("DELETE", ada.path, admin)) == (404, "user-unknown")


def test_the_admin_is_made_once_and_then_left_alone(users: Any) -> None:
    query = "SELECT password_hash, role FROM users WHERE email = 'admin@fusebox.example'"
    before = rows(users, query)

    prepare.prepare(users.process)

    assert rows(users, query) == before
    assert [row["role"] for row in before] == ["admin"]


def test_the_list_goes_page_by_page_to_its_end(users: Any) -> None:
    admin, everybody = users.admin_token(), [users.member().id for _ in range(3)]
    found, path = [], "/users?limit=2"
    while path:
        answer = users.call("GET", path, admin)
        assert len(answer.json) <= 2
        found += [user["userId"] for user in answer.json]
        link = answer.headers.get("Link", "")
        assert not link or link.startswith("</user-service/users?limit=2&cursor=")
        path = link.removeprefix("</user-service").partition(">")[0]

    assert found == sorted(found)
    assert found[-3:] == everybody
    assert len(found) == len(rows(users, "SELECT id FROM users WHERE deleted_at IS NULL"))


@pytest.mark.parametrize("limit", ["0", "201", "-1", "1.5", "ten", "", "0001999", "٣"])
def test_a_limit_out_of_bounds_is_refused(users: Any, limit: str) -> None:
    query = {"limit": limit}
    answer = users.call("GET", "/users", users.admin_token(), query_string=query)
    assert fields(answer) == {"limit"}


@pytest.mark.parametrize("cursor", ["", "nobody", "bm9ib2R5", "AAAA", "%ff", "é"])
def test_a_cursor_that_nobody_gave_is_refused(users: Any, cursor: str) -> None:
    query = {"cursor": cursor}
    answer = users.call("GET", "/users", users.admin_token(), query_string=query)
    assert fields(answer) == {"cursor"}


def test_a_change_changes_what_it_names(users: Any) -> None:
    ada = users.member()

    renamed = users.call("PATCH", ada.path, ada.token, json={"name": "Countess"})
    assert (renamed.status_code, renamed.json["name"]) == (200, "Countess")
    assert users.log_in(ada.email).status_code == 200

    users.call("PATCH", ada.path, ada.token, json={"password": "another long one"})
    assert users.log_in(ada.email).status_code == 401
    assert users.log_in(ada.email, "another long one").status_code == 200
    assert users.call("GET", ada.path, ada.token).json["name"] == "Countess"


@pytest.mark.parametrize(
    "given", [{"name": ""}, {"password": "short"}, {"email": "new@example.org"}, {"role": "admin"}]
)
def test_a_wrong_change_names_its_field(users: Any, given: dict[str, Any]) -> None:
    ada = users.member()

    assert fields(users.call("PATCH", ada.path, ada.token, json=given)) == set(given)


def test_a_deleted_account_is_over_at_once_and_told_to_others(users: Any) -> None:
    ada = users.member()

    assert users.call("DELETE", ada.path, ada.token).status_code == 204

    assert users.call("GET", ada.path, ada.token).status_code == 401
    assert users.call("PATCH", ada.path, ada.token, json={"name": "A"}).status_code == 401
    assert users.call("DELETE", ada.path, ada.token).status_code == 401
    assert users.log_in(ada.email).status_code == 401
    (row,) = rows(users, "SELECT deleted_at FROM users WHERE id = :id", id=ada.id)
    (event,) = rows(users, "SELECT * FROM outbox WHERE key = :id", id=ada.id)
    told = json.loads(event["payload"])
    assert (event["topic"], event["type"]) == ("users", "user.deleted")
    assert set(told) == {"userId", "deletedAt"}
    assert told["userId"] == ada.id
    assert told["deletedAt"] == row["deleted_at"].isoformat().replace("+00:00", "Z")
    assert event["span"]


def test_the_email_of_a_deleted_account_can_be_registered_again(users: Any) -> None:
    ada = users.member()
    users.call("DELETE", ada.path, ada.token)

    again = users.register(email=ada.email)

    assert again.status_code == 201
    assert again.json["userId"] != ada.id
    assert users.call("GET", ada.path, ada.token).status_code == 401


def test_passwords_and_hashes_reach_no_log_and_the_table_holds_no_password(
    users: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    ada = users.member()
    users.log_in(ada.email, "a wrong password")

    (row,) = rows(users, "SELECT * FROM users WHERE id = :id", id=ada.id)
    assert row["password_hash"].startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    for secret in ("correct horse", "a wrong password", row["password_hash"], ada.token):
        assert secret not in caplog.text


def test_its_database_is_part_of_its_readiness(users: Any) -> None:
    assert users.call("GET", "/actuator/health").json["components"]["db"]["status"] == "UP"
    assert users.call("GET", "/actuator/health/readiness").json["components"]["db"]


def test_without_its_database_it_asks_for_patience(process_of: Any) -> None:
    nowhere = {"spring.datasource.url": "postgresql+psycopg://user_service@127.0.0.1:1/nothing"}
    process = process_of("user-service", UserSettings, nowhere)
    engine = database.engine_of(process.settings.spring.datasource, process.environment)
    client = main.wire(process, engine).test_client()

    answer = client.post("/login", json={"email": "ada@example.org", "password": "long enough"})

    assert code(answer) == (503, "service-unavailable")
    assert answer.headers["Retry-After"]
    assert client.get("/actuator/health/readiness").status_code == 503
    assert client.get("/.well-known/jwks.json").status_code == 200

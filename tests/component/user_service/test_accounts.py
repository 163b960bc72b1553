"""Registering, changing and deleting an account, over HTTP and on a real PostgreSQL."""

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from chassis.data import postgres
from user_service import main, prepare
from user_service.models import Base
from user_service.settings import UserSettings

from ...identities import as_gateway
from .answers import code, fields, rows


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


def test_the_field_pwd_is_accepted_for_password(users: Any) -> None:
    new = {"email": "pwd@example.org", "name": "Pwd", "pwd": "long enough"}

    assert users.call("POST", "/users", json=new).status_code == 201
    assert users.log_in("pwd@example.org", "long enough").status_code == 200


def test_an_email_is_taken_whatever_its_case(users: Any) -> None:
    users.register(email="Case@example.org")

    assert code(users.register(email="cASE@Example.org")) == (409, "email-taken")


def test_of_many_who_race_for_an_email_in_whatever_case_one_gets_it(users: Any) -> None:
    spellings = ["race@example.org", "RACE@example.org", "Race@Example.Org", "racE@EXAMPLE.org"]
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda email: users.register(email=email), 2 * spellings))

    assert sorted(answer.status_code for answer in answers) == [201] + 7 * [409]
    query = "SELECT email FROM users WHERE lower(email) = 'race@example.org'"
    (row,) = rows(users, query)
    (made,) = (answer.json["email"] for answer in answers if answer.status_code == 201)
    assert row["email"] == made


@pytest.mark.parametrize("common", ["password", "PASSWORD1", "iloveyou", "1q2w3e4r"])
def test_one_of_the_most_common_passwords_is_refused(users: Any, common: str) -> None:
    ada = users.member()

    assert fields(users.register(password=common)) == {"password"}
    assert fields(users.call("PATCH", ada.path, ada.token, json={"password": common})) == {
        "password"
    }


def test_a_flood_of_logins_is_turned_away_with_503(users: Any) -> None:
    ada = users.member()
    with ThreadPoolExecutor(60) as threads:
        answers = list(threads.map(lambda _: users.log_in(ada.email), range(60)))

    refused = [answer for answer in answers if answer.status_code == 503]
    assert refused
    assert {answer.status_code for answer in answers} == {200, 503}
    assert {code(answer) for answer in refused} == {(503, "overloaded")}
    assert all(answer.headers["Retry-After"] for answer in refused)
    metrics = users.call("GET", "/actuator/prometheus").text
    assert f"password_hashing_rejected_total {float(len(refused))}" in metrics
    assert users.log_in(ada.email).status_code == 200


@pytest.mark.parametrize(
    ("given", "wrong"),
    [
        ({}, {"email", "name", "password"}),
        ({"email": "ada@example.org", "name": "Ada"}, {"password"}),
        ({"email": "nobody", "name": "", "password": "short"}, {"email", "name", "password"}),
        ({"email": "a@b", "name": "   ", "pwd": "short"}, {"email", "name", "pwd"}),
        ({"email": f"{'a' * 250}@b.org", "name": "a" * 101, "password": "a" * 257},
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


def test_the_admin_is_made_once_and_then_left_alone(users: Any) -> None:
    query = "SELECT password_hash, role FROM users WHERE email = 'admin@fusebox.example'"
    before = rows(users, query)

    prepare.prepare(users.process)

    assert rows(users, query) == before
    assert [row["role"] for row in before] == ["admin"]


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


def test_a_deleted_account_is_closed_at_once_and_its_event_is_recorded(users: Any) -> None:
    ada = users.member()

    assert users.call("DELETE", ada.path, ada.token).status_code == 204

    assert users.call("GET", ada.path, ada.token).status_code == 401
    assert users.call("PATCH", ada.path, ada.token, json={"name": "A"}).status_code == 401
    assert users.call("DELETE", ada.path, ada.token).status_code == 401
    assert users.log_in(ada.email).status_code == 401
    (row,) = rows(users, "SELECT deleted_at FROM users WHERE id = :id", id=ada.id)
    (event,) = rows(users, "SELECT * FROM outbox WHERE key = :id", id=ada.id)
    payload = json.loads(event["payload"])
    assert (event["topic"], event["type"]) == ("users", "user.deleted")
    assert set(payload) == {"userId", "deletedAt"}
    assert payload["userId"] == ada.id
    assert payload["deletedAt"] == row["deleted_at"].isoformat().replace("+00:00", "Z")
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


def test_without_its_database_it_answers_503_with_retry_after(process_of: Any) -> None:
    nowhere = {"spring.datasource.url": "postgresql+psycopg://user_service@127.0.0.1:1/nothing"}
    process = process_of("user-service", UserSettings, nowhere)
    engine = postgres.engine_of(process.settings.spring.datasource, process.environment)
    client = as_gateway(main.wire(process, engine), process)

    answer = client.post("/login", json={"email": "ada@example.org", "password": "long enough"})

    assert code(answer) == (503, "service-unavailable")
    assert answer.headers["Retry-After"]
    assert client.get("/actuator/health/readiness").status_code == 503
    assert client.get("/.well-known/jwks.json").status_code == 200


def test_a_name_that_no_column_can_hold_is_refused(users: Any) -> None:
    assert users.register(email="nul@example.org", name="a\x00b").status_code == 422


def test_a_password_typed_on_another_keyboard_logs_in(users: Any) -> None:
    users.register(email="nfd@example.org", password="e\u0301te\u0301 2026")

    for typed in ("\u00e9t\u00e9 2026", "e\u0301te\u0301 2026", "e\u0301t\u00e9\u00a02026"):
        assert users.log_in("NFD@Example.ORG", typed).status_code == 200
    assert users.log_in("nfd@example.org", "ete 2026").status_code == 401


def test_a_password_is_measured_as_it_is_kept(users: Any) -> None:
    assert fields(users.register(password="e\u0301" * 4)) == {"password"}
    assert users.register(password="e\u0301" * 256).status_code == 201


@pytest.mark.parametrize("name", ["a\u0085b", "\u200b", "\u202eadA", "\u3164"])
def test_a_name_that_cannot_be_seen_or_turns_the_text_is_refused(users: Any, name: str) -> None:
    ada = users.member()

    assert fields(users.register(name=name)) == {"name"}
    assert fields(users.call("PATCH", ada.path, ada.token, json={"name": name})) == {"name"}


@pytest.mark.parametrize(
    "body",
    [
        b'{"email": "a@b.org", "email": "c@d.org", "name": "A", "password": "long enough"}',
        b'{"email": "a@b.org", "name": {"x": 1, "x": 2}, "password": "long enough"}',
        b'{"email": "a@b.org", "name": NaN, "password": "long enough"}',
        b'{"email": ' + b"[" * 5_000 + b"}",
    ],
)
@pytest.mark.parametrize("path", ["/users", "/login"])
def test_json_that_can_be_read_in_two_ways_is_refused(users: Any, path: str, body: bytes) -> None:
    answer = users.call("POST", path, data=body, content_type="application/json")

    assert code(answer) == (400, "malformed-request")

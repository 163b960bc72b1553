"""Refresh tokens: each is good once, and a session ends in every way in which it should."""

import base64
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any
from uuid import UUID

import jwt
import pytest
from sqlalchemy import text
from sqlalchemy.orm import sessionmaker

from chassis.audit.entry import AuditEntry, Outcome
from chassis.config.settings import HousekeepingSettings
from chassis.core.errors import Unauthenticated
from chassis.core.live import Live
from chassis.data.housekeeping import Housekeeping, TimeToLive
from user_service.audit.trail import AuditTrail
from user_service.models import LoginSession, User
from user_service.sessions import LoginSessions
from user_service.settings import TokenSettings

from .answers import code, fields, rows

REFUSED = (401, "invalid-grant")


def refreshed(users: Any, token: str) -> Any:
    return users.call("POST", "/token", json={"refreshToken": token})


def logged_in(users: Any, email: str) -> str:
    answer = users.log_in(email)
    assert answer.headers["Cache-Control"] == "no-store"
    return str(answer.json["refreshToken"])


def test_a_refresh_token_gets_a_new_pair(users: Any) -> None:
    ada = users.member()
    first = logged_in(users, ada.email)

    answer = refreshed(users, first)

    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    assert set(answer.json) == {
        *("accessToken", "tokenType", "expiresIn", "userId"),
        "refreshToken",
    }
    assert answer.json["userId"] == ada.id
    assert answer.json["refreshToken"] != first
    assert users.call("GET", ada.path, answer.json["accessToken"]).status_code == 200
    assert refreshed(users, answer.json["refreshToken"]).status_code == 200


def test_a_refresh_token_that_was_used_ends_its_session_and_no_other(users: Any) -> None:
    ada = users.member()
    stolen, other = logged_in(users, ada.email), logged_in(users, ada.email)
    second = refreshed(users, stolen).json["refreshToken"]
    third = refreshed(users, second).json["refreshToken"]

    assert code(refreshed(users, stolen)) == REFUSED

    assert code(refreshed(users, third)) == REFUSED
    assert code(refreshed(users, second)) == REFUSED
    assert refreshed(users, other).status_code == 200


def test_of_many_uses_at_once_one_succeeds_and_the_session_is_over(users: Any) -> None:
    token = logged_in(users, users.member().email)

    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda _: refreshed(users, token), range(8)))

    good = [answer for answer in answers if answer.status_code == 200]
    assert len(good) == 1
    assert sorted(answer.status_code for answer in answers) == [200] + 7 * [401]
    assert code(refreshed(users, good[0].json["refreshToken"])) == REFUSED


def test_a_session_ends_at_the_logout_by_its_refresh_token(users: Any) -> None:
    ada = users.member()
    first, other = logged_in(users, ada.email), logged_in(users, ada.email)
    second = refreshed(users, first).json["refreshToken"]

    # An old one will do as well: whoever logs out wants it to be over.
    for token in (first, second, second):
        answer = users.call("POST", "/logout", json={"refreshToken": token})
        assert (answer.status_code, answer.data) == (204, b"")

    assert code(refreshed(users, second)) == REFUSED
    assert refreshed(users, other).status_code == 200


def test_a_session_ends_at_the_logout_by_its_access_token(users: Any) -> None:
    ada = users.member()
    answer, other = users.log_in(ada.email).json, logged_in(users, ada.email)

    for _again in range(2):
        assert users.call("POST", "/logout", answer["accessToken"]).status_code == 204

    assert code(refreshed(users, answer["refreshToken"])) == REFUSED
    assert refreshed(users, other).status_code == 200


def test_who_shows_no_token_cannot_log_out(users: Any) -> None:
    assert code(users.call("POST", "/logout")) == (401, "unauthenticated")
    assert code(users.call("POST", "/logout", "a.b.c")) == (401, "unauthenticated")


def test_a_new_password_ends_all_sessions_of_the_account(users: Any) -> None:
    ada, bob = users.member(), users.member()
    tokens = [logged_in(users, ada.email) for _ in range(3)]
    untouched = logged_in(users, bob.email)

    users.call("PATCH", ada.path, ada.token, json={"name": "Countess"})
    tokens[0] = refreshed(users, tokens[0]).json["refreshToken"]
    users.call("PATCH", ada.path, ada.token, json={"password": "another long one"})

    assert {code(refreshed(users, token)) for token in tokens} == {REFUSED}
    assert refreshed(users, untouched).status_code == 200


def test_a_deleted_account_has_no_session(users: Any) -> None:
    ada = users.member()
    tokens = [logged_in(users, ada.email) for _ in range(3)]

    users.call("DELETE", ada.path, ada.token)

    assert {code(refreshed(users, token)) for token in tokens} == {REFUSED}
    assert rows(users, "SELECT * FROM login_sessions WHERE user_id = :id", id=ada.id) == []


def test_a_login_whose_password_is_changed_meanwhile_begins_no_session(users: Any) -> None:
    ada = users.member()
    sessions = sessionmaker(users.engine, expire_on_commit=False)
    with sessions() as session:
        before = session.get_one(User, ada.id)
    users.call("PATCH", ada.path, ada.token, json={"password": "another long one"})
    trail, login = AuditTrail(sessions, Live(1.0)), AuditEntry("login", Outcome.DONE, ada.path)

    with pytest.raises(Unauthenticated):
        LoginSessions(sessions, Live(TokenSettings()), trail).begin(before, login)

    assert rows(users, "SELECT * FROM login_sessions WHERE user_id = :id", id=ada.id) == []


def test_a_refresh_token_has_its_time(users: Any) -> None:
    token = logged_in(users, users.member().email)
    _shift(users, token, "expires_at", days=15)

    assert code(refreshed(users, token)) == REFUSED


def test_a_session_that_is_used_all_the_time_is_over_some_day(users: Any) -> None:
    token = logged_in(users, users.member().email)
    _shift(users, token, "created_at", days=89)

    token = refreshed(users, token).json["refreshToken"]

    (row,) = rows(users, "SELECT expires_at - now() AS left FROM login_sessions WHERE id = :id",
                  id=_session_id(token))  # fmt: skip
    assert timedelta(hours=23) < row["left"] < timedelta(hours=25)


def test_sessions_that_have_had_their_time_are_swept(users: Any) -> None:
    old, young = (logged_in(users, users.member().email) for _ in range(2))
    _shift(users, old, "expires_at", days=15)
    ttl = TimeToLive(LoginSession.expires_at, Live(timedelta()))
    sessions = sessionmaker(users.engine)

    Housekeeping(sessions, Live(HousekeepingSettings()), [ttl]).sweep(ttl, threading.Event())

    query = "SELECT 1 FROM login_sessions WHERE id = :id"
    assert rows(users, query, id=_session_id(old)) == []
    assert rows(users, query, id=_session_id(young))


@pytest.mark.parametrize(
    "nonsense", ["", "x", "a" * 64, "A" * 63, "é" * 64, "a" * 5_000, "\0" * 64, "a.b.c"]
)
def test_what_is_no_refresh_token_is_refused_like_an_old_one(users: Any, nonsense: str) -> None:
    assert code(refreshed(users, nonsense)) == REFUSED
    assert users.call("POST", "/logout", json={"refreshToken": nonsense}).status_code == 204


@pytest.mark.parametrize("given", [{}, {"refreshToken": 1}, {"refreshToken": None}])
def test_a_request_without_its_token_names_the_field(users: Any, given: dict[str, Any]) -> None:
    assert fields(users.call("POST", "/token", json=given)) == {"refreshToken"}
    assert fields(users.call("POST", "/logout", json=given)) == {"refreshToken"}


def test_an_access_token_is_no_refresh_token_nor_the_other_way_round(users: Any) -> None:
    ada = users.member()
    answer = users.log_in(ada.email).json

    assert code(refreshed(users, answer["accessToken"])) == REFUSED
    assert users.call("GET", ada.path, answer["refreshToken"]).status_code == 401


def test_refresh_tokens_are_in_no_table_and_no_log(
    users: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    token = logged_in(users, users.member().email)
    successor = refreshed(users, token).json["refreshToken"]
    refreshed(users, token)
    kept = logged_in(users, users.member().email)

    for secret in (token, successor, kept):
        assert secret not in caplog.text
    (row,) = rows(users, "SELECT * FROM login_sessions WHERE id = :id", id=_session_id(kept))
    assert base64.urlsafe_b64decode(kept)[16:] not in row.values()


def test_the_access_token_names_its_session(users: Any) -> None:
    answer = users.log_in(users.member().email).json

    claims = jwt.decode(answer["accessToken"], options={"verify_signature": False})
    assert claims["sid"] == _session_id(answer["refreshToken"])


def _session_id(token: str) -> str:
    return str(UUID(bytes=base64.urlsafe_b64decode(token)[:16]))


def _shift(users: Any, token: str, column: str, days: int) -> None:
    change = f"UPDATE login_sessions SET {column} = {column} - make_interval(days => :days)"
    with users.engine.begin() as connection:
        connection.execute(
            text(f"{change} WHERE id = :id"), {"days": days, "id": _session_id(token)}
        )

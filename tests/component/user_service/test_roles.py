"""Who is an admin: given, taken, and never nobody."""

import threading
from typing import Any
from uuid import uuid4

import pytest

from user_service import prepare

from ...identities import as_gateway
from .answers import code, rows


@pytest.fixture
def admin(users: Any) -> Any:
    """A second admin, so that the first can be left alone; no admin any more in the end."""
    made, first = users.member(), users.admin_token()
    assert users.call("PUT", f"{made.path}/roles/admin", first).status_code == 204
    made.token = users.token(made.email)
    yield made
    users.call("DELETE", f"{made.path}/roles/admin", users.admin_token())


def roles(users: Any, member: Any, token: str | None = None) -> list[str]:
    answer = users.call("GET", f"{member.path}/roles", token or member.token)
    assert answer.status_code == 200, answer.text
    assert answer.json["userId"] == member.id
    return list(answer.json["roles"])


def revoked(users: Any, since: float = 0) -> dict[str, Any]:
    answer = users.call("GET", f"/actuator/revocations/{since}")
    assert answer.status_code == 200, answer.text
    return dict(answer.json)


def test_everybody_sees_their_own_roles_and_an_admin_those_of_all(users: Any, admin: Any) -> None:
    ada = users.member()

    assert roles(users, ada) == roles(users, ada, admin.token) == ["user"]
    assert roles(users, admin) == ["user", "admin"]


def test_an_admin_gives_the_role_and_the_next_token_has_it(users: Any, admin: Any) -> None:
    ada = users.member()

    given = [users.call("PUT", f"{ada.path}/roles/admin", admin.token) for _ in range(2)]

    assert [answer.status_code for answer in given] == [204, 204]
    assert code(users.call("GET", "/users", ada.token)) == (403, "forbidden")
    assert users.call("GET", "/users", users.token(ada.email)).status_code == 200
    assert users.call("DELETE", f"{ada.path}/roles/admin", admin.token).status_code == 204


def test_a_role_that_is_taken_is_of_no_use_at_once_whatever_the_token_says(
    users: Any, admin: Any
) -> None:
    ada = users.member()

    taken = [users.call("DELETE", f"{admin.path}/roles/admin", admin.token)]
    taken += [users.call("DELETE", f"{admin.path}/roles/admin", users.admin_token())]

    assert [answer.status_code for answer in taken] == [204, 204]
    assert code(users.call("GET", "/users", admin.token)) == (403, "forbidden")
    assert code(users.call("GET", ada.path, admin.token)) == (404, "user-unknown")
    assert code(users.call("DELETE", ada.path, admin.token)) == (404, "user-unknown")
    assert users.call("GET", admin.path, admin.token).status_code == 200
    assert roles(users, admin) == ["user"]


def test_a_role_is_given_by_admins_alone(users: Any, admin: Any) -> None:
    ada = users.member()

    for method in ("PUT", "DELETE"):
        assert code(users.call(method, f"{ada.path}/roles/admin", ada.token)) == (403, "forbidden")
        assert code(users.call(method, f"{ada.path}/roles/admin")) == (401, "unauthenticated")
        gone = users.call(method, f"/users/{uuid4()}/roles/admin", admin.token)
        assert code(gone) == (404, "user-unknown")
    assert roles(users, ada) == ["user"]


@pytest.mark.parametrize("role", ["root", "ADMIN", "admin ", "x" * 2000, "%00"])
def test_a_role_that_there_is_not_is_not_found(users: Any, admin: Any, role: str) -> None:
    answer = users.call("PUT", f"{users.member().path}/roles/{role}", admin.token)

    assert answer.status_code == 404


def test_the_role_that_everybody_has_cannot_be_taken(users: Any, admin: Any) -> None:
    ada = users.member()

    assert users.call("PUT", f"{ada.path}/roles/user", admin.token).status_code == 204
    assert code(users.call("DELETE", f"{ada.path}/roles/user", admin.token)) == (409, "conflict")
    assert roles(users, ada) == ["user"]


def test_the_last_admin_keeps_the_role_and_the_account(users: Any) -> None:
    token = users.admin_token()
    [path] = [
        f"/users/{row['id']}"
        for row in rows(users, "SELECT id FROM users WHERE role = 'admin' AND deleted_at IS NULL")
    ]

    assert code(users.call("DELETE", f"{path}/roles/admin", token)) == (409, "last-admin")
    assert code(users.call("DELETE", path, token)) == (409, "last-admin")
    assert users.call("GET", "/users", token).status_code == 200


@pytest.mark.parametrize("way", ["take", "delete"])
def test_of_all_admins_who_leave_at_once_one_stays(users: Any, way: str) -> None:
    first, others = users.admin_token(), [users.member() for _ in range(5)]
    for other in others:
        users.call("PUT", f"{other.path}/roles/admin", first)
    leaving = [(other.path, users.token(other.email)) for other in others]
    [own] = [
        row["id"]
        for row in rows(users, "SELECT id FROM users WHERE role = 'admin' ORDER BY id LIMIT 1")
    ]
    leaving.append((f"/users/{own}", first))
    statuses: list[int] = []
    ready = threading.Barrier(len(leaving))

    def leave(path: str, token: str) -> None:
        with as_gateway(users.client.application, users.process) as client:
            ready.wait()
            target = f"{path}/roles/admin" if way == "take" or str(own) in path else path
            answer = client.delete(target, headers={"Authorization": f"Bearer {token}"})
            statuses.append(answer.status_code)

    threads = [threading.Thread(target=leave, args=one) for one in leaving]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    left = rows(users, "SELECT id, email FROM users WHERE role = 'admin' AND deleted_at IS NULL")
    assert len(left) == 1
    assert sorted(statuses) == [204] * 5 + [409]
    if left[0]["id"] != own:  # give it back, for the tests to come
        token = users.token(left[0]["email"])
        assert users.call("PUT", f"/users/{own}/roles/admin", token).status_code == 204
        assert users.call("DELETE", f"/users/{left[0]['id']}/roles/admin", token).status_code == 204


def test_who_checks_tokens_is_told_of_what_they_say_too_much(users: Any, admin: Any) -> None:
    ada, before = users.member(), revoked(users)["asOf"]
    users.call("DELETE", f"{admin.path}/roles/admin", users.admin_token())
    users.call("DELETE", ada.path, ada.token)

    told = revoked(users, before)

    assert told["accounts"] == {ada.id: [], admin.id: ["user"]}
    assert told["keepSeconds"] == 960
    assert list(revoked(users)["accounts"])[:2] == [ada.id, admin.id]
    assert revoked(users, told["asOf"] + 1)["accounts"] == {}


def test_a_role_that_is_given_back_is_told_as_well(users: Any, admin: Any) -> None:
    for method in ("DELETE", "PUT"):
        users.call(method, f"{admin.path}/roles/admin", users.admin_token())

    assert revoked(users)["accounts"][admin.id] == ["user", "admin"]


def test_what_no_token_can_say_any_more_is_told_no_longer(users: Any) -> None:
    ada = users.member()
    users.call("DELETE", ada.path, ada.token)
    with users.engine.begin() as connection:
        connection.exec_driver_sql(
            "UPDATE revocations SET revoked_at = now() - interval '961 seconds'"
        )

    assert revoked(users)["accounts"] == {}


@pytest.mark.parametrize("since", ["x", "nan", "inf", "-inf", "1e999", "-1", "1" * 400, "٣", " "])
def test_a_time_that_is_none_is_refused(users: Any, since: str) -> None:
    assert code(users.call("GET", f"/actuator/revocations/{since}")) == (422, "invalid-request")


def test_a_start_makes_nobody_an_admin_as_long_as_there_is_one(users: Any, admin: Any) -> None:
    first, before = users.admin_token(), admins(users)
    [own] = [row for row in before if row["email"] == prepare.ADMIN_EMAIL]
    assert users.call("DELETE", f"/users/{own['id']}/roles/admin", first).status_code == 204

    prepare.prepare(users.process)

    assert [row["email"] for row in admins(users)] == [admin.email]
    back = users.call("PUT", f"/users/{own['id']}/roles/admin", admin.token)
    assert back.status_code == 204


def test_the_address_of_an_admin_who_has_left_is_anybodys_and_gives_no_right(
    users: Any, admin: Any
) -> None:
    chief = users.member()
    users.call("PUT", f"{chief.path}/roles/admin", admin.token)
    assert users.call("DELETE", chief.path, users.token(chief.email)).status_code == 204

    heir = users.register(email=chief.email).json
    token = users.token(chief.email)

    assert users.call("GET", f"/users/{heir['userId']}/roles", token).json["roles"] == ["user"]
    assert code(users.call("GET", "/users", token)) == (403, "forbidden")


def admins(users: Any) -> list[Any]:
    return rows(users, "SELECT id, email FROM users WHERE role = 'admin' AND deleted_at IS NULL")

"""Who did what to which thing: all of it, no secrets, and unchanged for as long as was said."""

import threading
from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID, uuid4

import jwt
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import sessionmaker

from chassis.audit.entry import AuditEntry, Outcome
from chassis.config.settings import HousekeepingSettings
from chassis.core.live import Live
from chassis.data.housekeeping import Housekeeping
from chassis.messaging import cloudevents
from chassis.messaging.event import encode
from user_service.audit.trail import AuditTrail
from user_service.messaging import EVENT_TYPES, handler
from user_service.models import inbox

from .answers import code, fields, rows
from .conftest import PASSWORD
from .test_tokens import claims_for, key_id, signing_key

FROM = {"X-Forwarded-For": "203.0.113.7"}


def trail(users: Any, **filters: str) -> list[dict[str, Any]]:
    """What the admin reads, the newest first."""
    answer = users.call(
        "GET", "/audit", users.admin_token(), query_string={"limit": 200, **filters}
    )
    assert answer.status_code == 200, answer.text
    return list(answer.json)


def said(entry: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(entry[name] for name in ("action", "outcome", "actor", "target", "detail"))


def test_a_login_tells_who_and_from_where_and_in_which_trace(users: Any) -> None:
    ada = users.member()
    trace = f"{uuid4().int:032x}"
    headers = {"X-Forwarded-For": "203.0.113.7, 198.51.100.1", "b3": f"{trace}-{trace[:16]}-1"}
    login = {"email": ada.email, "password": PASSWORD}

    assert users.call("POST", "/login", json=login, headers=headers).status_code == 200

    newest = trail(users, actor=ada.id)[0]
    assert said(newest) == ("login", "done", ada.id, ada.path, {})
    assert (newest["source"], newest["traceId"]) == ("203.0.113.7", trace)
    assert (newest["service"], newest["times"]) == ("user-service", 1)
    assert UUID(newest["entryId"])
    assert newest["occurredAt"].endswith("Z")


def test_a_login_that_fails_names_the_account_if_there_is_one_and_no_email(users: Any) -> None:
    ada, nobody, source = users.member(), f"{uuid4()}@example.org", "203.0.113.8"
    for email in (ada.email, nobody):
        login = {"email": email, "password": "not that one"}
        users.call("POST", "/login", json=login, headers={"X-Forwarded-For": source})

    unknown, known = trail(users, source=source)

    assert said(known) == ("login", "refused", None, ada.path, {"isKnown": True})
    assert said(unknown) == ("login", "refused", None, "/login", {"isKnown": False})
    everything = str(rows(users, "SELECT * FROM audit_entries"))
    assert nobody not in everything
    assert ada.email not in everything
    assert "not that one" not in everything


def test_rights_and_deletions_are_told_with_who_changed_them(users: Any) -> None:
    ada, first = users.member(), users.admin_token()
    admin_id = trail(users, action="login")[0]["actor"]

    users.call("PUT", f"{ada.path}/roles/admin", first)
    users.call("PUT", f"{ada.path}/roles/admin", first)  # changes nothing
    users.call("DELETE", f"{ada.path}/roles/admin", first)
    users.call("PATCH", ada.path, first, json={"name": "A.", "password": "another long one"})
    users.call("DELETE", ada.path, first)

    told = [said(entry) for entry in trail(users, actor=admin_id) if ada.id in entry["target"]]
    assert told == [
        ("account.delete", "done", admin_id, ada.path, {}),
        ("account.change", "done", admin_id, ada.path, {"fields": ["name", "password"]}),
        ("role.take", "done", admin_id, f"{ada.path}/roles/admin", {}),
        ("role.give", "done", admin_id, f"{ada.path}/roles/admin", {}),
    ]


def test_who_comes_where_they_do_not_belong_is_told(users: Any) -> None:
    ada, eve = users.member(), users.member()
    users.call("GET", ada.path, eve.token)
    users.call("GET", "/users", eve.token)
    users.call("DELETE", f"/users/{uuid4()}", eve.token)
    users.call("PUT", f"{eve.path}/roles/admin", eve.token)

    told = trail(users, actor=eve.id, outcome="refused")

    assert [(one["action"], one["detail"]["method"], one["detail"]["code"]) for one in told] == [
        ("access", "PUT", "forbidden"),
        ("access", "DELETE", "user-unknown"),
        ("access", "GET", "forbidden"),
        ("access", "GET", "user-unknown"),
    ]
    assert told[3]["target"] == ada.path
    assert told[2]["target"] == "/users"


def test_a_forged_token_is_told_and_one_that_has_run_out_or_is_missing_is_not(users: Any) -> None:
    ada = users.member()
    over = jwt.encode(
        claims_for(ada.id, iat=1, exp=2), signing_key(users), "ES256", {"kid": key_id(users)}
    )
    before = len(trail(users, action="access"))

    users.call("GET", ada.path, "forged")
    users.call("GET", ada.path)
    users.call("GET", ada.path, over)

    entries = trail(users, action="access")
    assert len(entries) == before + 1
    assert said(entries[0])[1:4] == ("refused", None, ada.path)


def test_a_refresh_token_that_comes_again_is_told(users: Any) -> None:
    ada = users.member()
    first = users.log_in(ada.email).json["refreshToken"]
    assert users.call("POST", "/token", json={"refreshToken": first}).status_code == 200

    users.call("POST", "/token", json={"refreshToken": first})

    assert said(trail(users, action="token")[0])[1:] == (
        "refused",
        None,
        ada.path,
        {"isReused": True},
    )


def test_what_is_undone_leaves_no_trace(users: Any) -> None:
    admin_id = rows(users, "SELECT id FROM users WHERE role = 'admin' AND deleted_at IS NULL")[0]

    refused = users.call("DELETE", f"/users/{admin_id['id']}", users.admin_token())

    assert code(refused) == (409, "last-admin")
    assert trail(users, action="account.delete", target=f"/users/{admin_id['id']}") == []


def test_only_an_admin_reads_it(users: Any) -> None:
    assert code(users.call("GET", "/audit", users.member().token)) == (403, "forbidden")
    assert code(users.call("GET", "/audit")) == (401, "unauthenticated")


def test_it_goes_page_by_page_with_the_same_filters(users: Any) -> None:
    ada = users.member()
    for _ in range(4):
        users.log_in(ada.email)
    admin = users.admin_token()
    pages, path = [], f"/audit?limit=2&action=login&actor={ada.id}&since=2026-01-01T00:00:00Z"

    while path:
        answer = users.call("GET", path, admin)
        assert answer.status_code == 200, answer.text
        pages.append([entry["entryId"] for entry in answer.json])
        link = answer.headers.get("Link", "")
        path = link.removeprefix("</user-service").partition(">")[0]

    ids = [entry_id for page in pages for entry_id in page]
    assert [len(page) for page in pages] == [2, 2, 1]
    assert ids == sorted(ids, reverse=True)


def test_each_filter_narrows_it(users: Any) -> None:
    ada = users.member()
    users.call("GET", "/users", ada.token, headers=FROM)
    [entry] = trail(users, actor=ada.id, action="access")

    for name in ("service", "action", "outcome", "actor", "target", "source", "traceId"):
        assert entry in trail(users, **{name: entry[name]}), name
        other = "done" if name == "outcome" else "another"
        assert entry not in trail(users, **{name: other}), name
    moment = entry["occurredAt"]
    assert entry in trail(users, actor=ada.id, since=moment)
    assert entry not in trail(users, actor=ada.id, until=moment)
    assert entry in trail(users, actor=ada.id, until="9999-12-31T23:59:59Z")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("since", ""),
        ("since", "yesterday"),
        ("since", "2026-13-01T00:00:00Z"),
        ("since", "2026-01-01"),
        ("until", "2026-01-01T00:00:00"),
        ("until", "٢٠٢٦-01-01T00:00:00Z"),
        ("outcome", "DONE"),
        ("outcome", ""),
        ("limit", "0"),
        ("cursor", "%ff"),
        ("actor", "\x00"),
    ],
)
def test_a_filter_that_is_none_is_named(users: Any, name: str, value: str) -> None:
    answer = users.call("GET", "/audit", users.admin_token(), query_string={name: value})

    assert fields(answer) == {name}


@pytest.mark.parametrize("since", ["0001-01-01T00:00:00Z", "2026-01-01t00:00:00.123456+23:59"])
def test_any_moment_can_be_asked_for(users: Any, since: str) -> None:
    assert users.member()
    assert trail(users, since=since)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_entries SET actor = 'nobody'",
        "UPDATE audit_entries SET keep_until = now() - interval '1 day'",
        "DELETE FROM audit_entries",
        "TRUNCATE audit_entries",
        "TRUNCATE users, audit_entries CASCADE",
    ],
)
def test_the_database_lets_nobody_change_what_is_written(users: Any, statement: str) -> None:
    users.member()
    before = rows(users, "SELECT * FROM audit_entries ORDER BY entry_id")

    with pytest.raises(DBAPIError, match="kept as they are"), users.engine.begin() as connection:
        connection.execute(text(statement))

    assert rows(users, "SELECT * FROM audit_entries ORDER BY entry_id") == before


def test_what_has_had_its_time_is_purged_and_nothing_else(users: Any) -> None:
    sessions = sessionmaker(users.engine)
    entries = {}
    for keep_days in (-1.0, 1.0):
        entries[keep_days] = AuditEntry("test.purge", Outcome.DONE, "/")
        AuditTrail(sessions, Live(keep_days)).write([entries[keep_days]])
    ttl = AuditTrail.time_to_live()

    removed = Housekeeping(sessions, Live(HousekeepingSettings()), [ttl]).purge(5)

    assert removed.tables["audit_entries"].rows == 1
    assert [entry["entryId"] for entry in trail(users, action="test.purge")] == [
        str(entries[1.0].id)
    ]


def test_what_other_services_tell_is_appended_once(users: Any) -> None:
    entry = AuditEntry("product.change", Outcome.DONE, "/catalogs/X", "an admin", detail={"n": 1})
    append = handler(AuditTrail(sessionmaker(users.engine), Live(365.0)).append)
    for event_id in (uuid4(), uuid4()):  # published twice, as by a relay that died in between
        names = event_id, "audit.recorded", "catalog-service"
        headers = cloudevents.headers(*names, entry.occurred_at, None)
        event = cloudevents.parse(b"", encode(entry.document()), headers, EVENT_TYPES)
        assert event
        with sessionmaker(users.engine).begin() as session:
            append(session, inbox.claim(session, [event]))

    [told] = trail(users, service="catalog-service")

    assert said(told) == ("product.change", "done", "an admin", "/catalogs/X", {"n": 1})
    assert told["entryId"] == str(entry.id)


def test_what_the_gateway_tells_is_appended_once(users: Any) -> None:
    entry = AuditEntry("actuator", Outcome.DONE, "/actuator/refresh", "an admin")

    told = [users.call("POST", "/actuator/audit", json=[entry.document()]) for _ in range(2)]

    assert [answer.status_code for answer in told] == [204, 204]
    [stored] = trail(users, service="gateway")
    assert said(stored) == ("actuator", "done", "an admin", "/actuator/refresh", {})


@pytest.mark.parametrize("body", ["", "{", "{}", "[1]", '[{"action": "x"}]', "null"])
def test_what_is_no_entry_is_refused_as_a_whole(users: Any, body: str) -> None:
    before = len(trail(users))

    answer = users.call("POST", "/actuator/audit", data=body)

    assert code(answer) == (422, "invalid-request")
    assert len(trail(users)) == before + 1  # the login of the reader


def test_a_flood_of_failed_logins_is_told_by_its_number(users: Any, allowance: Any) -> None:
    """Whatever is over the allowance of a minute is written together, and none is left out."""
    ada, attempts, source = users.member(), 40, "203.0.113.99"
    allowance(5)
    login = {"email": ada.email, "password": "guess after guess"}
    for _ in range(attempts):
        users.call("POST", "/login", json=login, headers={"X-Forwarded-For": source})
    allowance(6000)
    stop = threading.Event()
    stop.set()

    flush(users, stop)

    told = trail(users, source=source)
    assert sum(entry["times"] for entry in told) == attempts
    assert len(told) <= 7
    assert {entry["target"] for entry in told} == {ada.path}


@pytest.fixture
def allowance(users: Any) -> Iterator[Callable[[int], None]]:
    """Sets how many refusals of a minute are written one by one."""
    before = users.process.live.value

    def allow(per_minute: int) -> None:
        audit = before.fusebox.audit.model_copy(update={"refusals_per_minute": per_minute})
        fusebox = before.fusebox.model_copy(update={"audit": audit})
        users.process.live.set(before.model_copy(update={"fusebox": fusebox}))

    yield allow
    users.process.live.set(before)


def flush(users: Any, stop: threading.Event) -> None:
    """As the background thread does at its end."""
    next(one.run for one in users.process.workers._planned if one.name == "refusals")(stop)

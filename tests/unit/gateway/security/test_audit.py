"""What the gateway tells the audit trail: all of it, once user-service is there, within a bound."""

import threading
from typing import Any

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from chassis.audit.refusals import MOST_KINDS
from chassis.config.settings import AuditSettings
from chassis.core.errors import InsufficientScope, InvalidToken, NotFound, Problem, Unavailable
from chassis.core.live import Live
from gateway.http.header_fields import HeaderFields
from gateway.http.messages import Request
from gateway.security import audit
from gateway.security.audit import AuditReports

STEPS = ["", "report", "away", "back"]
OVER = threading.Event()
OVER.set()


class Trail:
    """user-service, which keeps what it is told unless it is away."""

    def __init__(self) -> None:
        self.entries: list[dict[str, Any]] = []
        self.status = 204
        self.is_away = False

    def post(self, path: str, name: str, document: Any) -> requests.Response:
        assert path == name == "/actuator/audit"
        if self.is_away:
            raise Unavailable("user-service does not answer.")
        answer = requests.Response()
        answer.status_code = self.status
        if self.status == 204:
            self.entries += document
        return answer

    def times(self) -> int:
        return sum(int(entry["times"]) for entry in self.entries)


def reports(trail: Trail, per_minute: int = 1000) -> AuditReports:
    return AuditReports(trail, Live(AuditSettings(refusals_per_minute=per_minute)))  # type: ignore[arg-type]


def request(method: str = "GET", path: str = "/x") -> Request:
    trace_id = "4bf92f3577b34da6a3ce929d0e0e4736"
    headers = HeaderFields([])
    return Request(method, path, path, "", headers, "1.1", "203.0.113.7", trace_id=trace_id)


def report_all(some: AuditReports) -> None:
    """As the background threads do at their end, in the order in which they stop."""
    some.refusals.run(OVER)
    some.run(OVER)


def test_a_refusal_is_told_with_who_it_was_and_from_where() -> None:
    trail = Trail()
    some = reports(trail)
    path = "/order-service/actuator/env"

    some.refused(request("POST", path), InsufficientScope("Only an admin may do this."), "ann")
    report_all(some)

    [entry] = trail.entries
    assert (entry["action"], entry["outcome"], entry["actor"]) == ("access", "refused", "ann")
    assert (entry["target"], entry["source"]) == (path, "203.0.113.7")
    assert entry["traceId"] == "4bf92f3577b34da6a3ce929d0e0e4736"
    assert entry["detail"] == {"method": "POST", "code": "forbidden"}


@pytest.mark.parametrize(
    "problem",
    [
        NotFound("There is nothing here."),
        Unavailable("Tokens cannot be checked yet."),
        InvalidToken("The token has expired: log in again.", code="token-expired"),
    ],
)
def test_what_happens_to_everybody_is_not_told(problem: Problem) -> None:
    trail = Trail()
    some = reports(trail)

    some.refused(request(), problem, None)
    report_all(some)

    assert trail.entries == []


def test_what_an_admin_changes_is_told() -> None:
    trail = Trail()
    some = reports(trail)
    path = "/catalog-service/actuator/loggers/ROOT"

    some.let_through(request("POST", path), "admin")
    report_all(some)

    [entry] = trail.entries
    assert (entry["action"], entry["outcome"], entry["actor"]) == ("actuator", "done", "admin")
    assert (entry["target"], entry["detail"]) == (path, {"method": "POST"})


@given(
    st.lists(
        st.tuples(st.booleans(), st.sampled_from(["", "report", "away", "back"])), max_size=120
    ),
    st.integers(MOST_KINDS + 1, 2 * MOST_KINDS),
    st.integers(1, 60),
)
def test_none_is_lost_however_long_user_service_is_away(
    happened: list[tuple[bool, str]], room: int, per_minute: int
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(audit, "MOST_WAITING", room)
        trail = Trail()
        some = reports(trail, per_minute)
        for is_change, then in happened:
            if is_change:
                some.let_through(request("POST", "/actuator/refresh"), "admin")
            else:
                some.refused(request(), InvalidToken("none"), None)
            trail.is_away = {"away": True, "back": False}.get(then, trail.is_away)
            if then == "report":
                some.run(OVER)
            assert len(some._waiting) <= room

        trail.is_away = False
        for _ in range(2 + MOST_KINDS):
            some.run(OVER)
            some.refusals.flush()
        some.run(OVER)

    assert trail.times() == len(happened)


def test_entries_that_are_refused_are_not_told_for_ever(caplog: pytest.LogCaptureFixture) -> None:
    trail = Trail()
    some = reports(trail)
    trail.status = 422
    some.let_through(request("POST", "/actuator/refresh"), "admin")
    some.run(OVER)
    trail.status = 204
    some.let_through(request("POST", "/actuator/busrefresh"), "admin")
    some.run(OVER)

    assert [entry["target"] for entry in trail.entries] == ["/actuator/busrefresh"]
    assert "the audit trail refused entries with 422" in caplog.text

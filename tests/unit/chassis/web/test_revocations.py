"""What a process remembers of tokens that say more than is so."""

import threading
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.core.errors import Unavailable
from chassis.web import revocations
from chassis.web.revocations import OVERLAP_SECONDS, Revocations

SUBJECTS = st.sampled_from("abcd")
ROLES = st.lists(st.sampled_from(["user", "admin"]), unique=True)


@dataclass
class Issuer:
    """Answers as user-service does: `told` by time, the newest first."""

    now: float = 1000.0
    keep: float = 60.0
    told: list[tuple[float, str, list[str]]] = field(default_factory=list)
    asked: list[float] = field(default_factory=list)

    def revoke(self, subject: str, roles: list[str]) -> None:
        self.told = [one for one in self.told if one[1] != subject]
        self.told.append((self.now, subject, roles))

    def since(self, moment: float) -> dict[str, Any]:
        self.asked.append(moment)
        newest = [one for one in reversed(self.told) if one[0] >= moment]
        accounts = {subject: roles for _, subject, roles in newest}
        return {"asOf": self.now, "keepSeconds": self.keep, "accounts": accounts}


@given(st.lists(st.tuples(SUBJECTS, ROLES, st.floats(0, 20), st.booleans())))
def test_who_asks_again_and_again_knows_what_was_told_last(
    changes: list[tuple[str, list[str], float, bool]],
) -> None:
    issuer, last = Issuer(), {}
    known = Revocations(issuer.since)
    for subject, roles, seconds, asks in changes:
        issuer.revoke(subject, roles)
        last[subject] = frozenset(roles)
        if asks:
            known.refresh()
        issuer.now += seconds

    known.refresh()

    assert {subject: known.roles_left(subject) for subject in last} == last
    assert known.roles_left("nobody") is None


def test_what_is_committed_late_is_heard_of_all_the_same() -> None:
    issuer = Issuer()
    known = Revocations(issuer.since)
    known.refresh()
    issuer.told.append((issuer.now - OVERLAP_SECONDS + 1, "a", []))

    known.refresh()

    assert issuer.asked == [0.0, issuer.now - OVERLAP_SECONDS]
    assert known.roles_left("a") == frozenset()


def test_what_no_token_can_say_any_more_is_forgotten() -> None:
    clock = [100.0]
    issuer = Issuer(told=[(1000.0, "a", [])])
    known = Revocations(issuer.since, lambda: clock[0])
    for seconds in (0.0, 2 * OVERLAP_SECONDS, 2 * issuer.keep):
        issuer.now, clock[0] = issuer.now + seconds, clock[0] + seconds
        known.refresh()
    issuer.revoke("b", ["user"])

    known.refresh()

    assert known.roles_left("a") is None
    assert known.roles_left("b") == frozenset(("user",))
    assert len(known) == 1


def test_a_flood_of_closed_accounts_has_a_bound_and_the_newest_are_known(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(revocations, "MOST_ACCOUNTS", 3)
    issuer = Issuer()
    known = Revocations(issuer.since)
    for number in range(5):
        issuer.revoke(str(number), [])
        issuer.now += 1

    known.refresh()

    assert [known.roles_left(str(number)) for number in range(5)] == [
        None,
        None,
        *3 * [frozenset()],
    ]


@pytest.mark.parametrize(
    "answer", [{}, {"asOf": 1}, {"asOf": "x", "keepSeconds": 1, "accounts": {}}, [], None]
)
def test_an_answer_that_cannot_be_read_changes_nothing(answer: Any) -> None:
    issuer = Issuer(told=[(1000.0, "a", [])])
    answers = [issuer.since(0), answer]
    known = Revocations(lambda _: answers.pop(0))
    known.refresh()

    with pytest.raises(Unavailable):
        known.refresh()
    assert known.roles_left("a") == frozenset()


def test_while_the_issuer_is_away_what_is_known_stays(caplog: pytest.LogCaptureFixture) -> None:
    stop, calls = threading.Event(), []

    def away(since: float) -> Any:
        calls.append(since)
        if len(calls) == 1:
            return {"asOf": 1000.0, "keepSeconds": 60.0, "accounts": {"a": []}}
        stop.set()
        raise Unavailable("user-service does not answer.")

    known = Revocations(away)
    known.refresh()
    known.run(stop)

    assert len(calls) == 2
    assert known.roles_left("a") == frozenset()

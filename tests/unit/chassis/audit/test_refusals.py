"""Of a flood of refusals the trail has the number, and of a few each one."""

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.audit.entry import LONGEST_TEXT, AuditEntry, Outcome, shortened
from chassis.audit.refusals import ANY, MOST_KINDS, Refusals
from chassis.config.settings import AuditSettings
from chassis.core.live import Live


class TrailOfATest:
    """Keeps what is written, unless the database `is_away`."""

    def __init__(self) -> None:
        self.entries: list[AuditEntry] = []
        self.is_away = False

    def write(self, entries: Sequence[AuditEntry]) -> None:
        if self.is_away:
            raise ConnectionError("gone")
        self.entries += entries

    def times(self) -> int:
        return sum(entry.times for entry in self.entries)


def refused(action: str = "login", source: str = "203.0.113.7", **given: Any) -> AuditEntry:
    return AuditEntry(action, Outcome.REFUSED, "/login", source=source, **given)


def refusals(trail: TrailOfATest, per_minute: int, now: list[float]) -> Refusals:
    settings = Live(AuditSettings(refusals_per_minute=per_minute))
    return Refusals(trail.write, settings, (ConnectionError,), lambda: now[0])


def test_a_few_are_written_one_by_one_at_once() -> None:
    trail = TrailOfATest()
    some = refusals(trail, 3, [0.0])
    entries = [refused() for _ in range(3)]

    for entry in entries:
        some.record(entry)

    assert trail.entries == entries


def test_of_a_flood_there_is_one_entry_with_the_number() -> None:
    trail = TrailOfATest()
    some = refusals(trail, 3, [0.0])

    for _ in range(1000):
        some.record(refused())
    assert len(trail.entries) == 3
    some.flush()

    together = trail.entries[-1]
    assert (len(trail.entries), together.times) == (4, 997)
    assert (together.action, together.source) == ("login", "203.0.113.7")
    assert together.detail["until"].endswith("Z")


def test_after_a_while_they_are_written_one_by_one_again() -> None:
    trail, now = TrailOfATest(), [0.0]
    some = refusals(trail, 60, now)
    for _ in range(100):
        some.record(refused())
    some.flush()
    written = len(trail.entries)

    now[0] += 2.0
    some.record(refused())

    assert len(trail.entries) == written + 1
    assert trail.entries[-1].times == 1


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["login", "access"]),
            st.integers(0, 3 * MOST_KINDS),
            st.floats(0, 5),
            st.sampled_from(["", "flush", "away", "back"]),
        ),
        max_size=200,
    ),
    st.integers(1, 5),
)
def test_none_is_lost_and_there_are_never_many_entries(
    attempts: list[tuple[str, int, float, str]], per_minute: int
) -> None:
    trail, now = TrailOfATest(), [0.0]
    some = refusals(trail, per_minute, now)
    flushes = 1
    for action, source, seconds, then in attempts:
        some.record(refused(action, f"203.0.113.{source}"))
        now[0] += seconds
        trail.is_away = {"away": True, "back": False}.get(then, trail.is_away)
        if then == "flush":
            some.flush()
            flushes += 1

    trail.is_away = False
    some.flush()

    allowed = per_minute * (1 + now[0] / 60)
    assert trail.times() == len(attempts)
    assert len(trail.entries) <= allowed + flushes * (MOST_KINDS + 1)


def test_of_too_many_kinds_no_more_is_told_than_how_many_they_were() -> None:
    trail = TrailOfATest()
    some = refusals(trail, 1, [0.0])
    for number in range(3 * MOST_KINDS):
        some.record(refused(source=f"203.0.113.{number}", actor=str(number)))

    some.flush()

    others = [entry for entry in trail.entries if entry.action == ANY]
    assert len(trail.entries) == 1 + MOST_KINDS + 1
    assert [(one.times, one.actor, one.source, one.target) for one in others] == [
        (2 * MOST_KINDS - 1, None, None, "")
    ]


def test_another_limit_applies_at_once() -> None:
    trail, now, settings = TrailOfATest(), [0.0], Live(AuditSettings(refusals_per_minute=1))
    some = Refusals(trail.write, settings, (ConnectionError,), lambda: now[0])
    for _ in range(5):
        some.record(refused())

    settings.set(AuditSettings(refusals_per_minute=6000))
    now[0] += 1.0
    for _ in range(5):
        some.record(refused())

    assert [entry.times for entry in trail.entries] == 6 * [1]


@pytest.mark.parametrize("length", [0, 1, LONGEST_TEXT, LONGEST_TEXT + 1, 100_000])
def test_what_a_stranger_has_written_is_kept_short(length: int) -> None:
    text = shortened("x" * length)

    assert len(text) == min(length, LONGEST_TEXT)
    assert text.endswith("…") == (length > LONGEST_TEXT)

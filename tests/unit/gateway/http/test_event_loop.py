"""How long a request has waited for the event loop, told by the loop's own lateness."""

import pytest

from gateway.http.event_loop import BEAT_SECONDS, Heartbeat


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def heartbeat(clock: Clock) -> Heartbeat:
    made = Heartbeat(clock)
    for _ in range(3):
        clock.now += BEAT_SECONDS
        made.beat()
    return made


def test_what_is_read_by_a_loop_on_time_has_come_now(clock: Clock, heartbeat: Heartbeat) -> None:
    clock.now += BEAT_SECONDS / 2

    assert heartbeat.earliest() == clock.now


def test_what_is_read_by_a_late_loop_may_have_come_when_it_was_last_on_time(
    clock: Clock, heartbeat: Heartbeat
) -> None:
    on_time = clock.now
    clock.now += 3

    assert heartbeat.earliest() == on_time


def test_what_is_read_soon_after_a_late_beat_may_have_waited_as_long(
    clock: Clock, heartbeat: Heartbeat
) -> None:
    on_time = clock.now
    clock.now += 3
    heartbeat.beat()
    clock.now += BEAT_SECONDS / 2
    assert heartbeat.earliest() == on_time

    clock.now += BEAT_SECONDS / 2
    heartbeat.beat()

    assert heartbeat.earliest() == clock.now

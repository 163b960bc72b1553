"""What a request carries from hop to hop beside its trace: its deadline, and that it is a retry.

A client says how long it will wait (`X-Request-Timeout-Ms`); between our own processes the moment
itself travels, for the time that a request lies in a queue counts too.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import NamedTuple

from chassis.core.errors import DeadlineOver
from chassis.observability.tracing import Headers

TIMEOUT = "X-Request-Timeout-Ms"
DEADLINE = "X-Request-Deadline"  # milliseconds since 1970
ATTEMPT = "X-Request-Attempt"
LONGEST_NUMBER = 15


class Hop(NamedTuple):
    """`deadline` is of time.monotonic; `is_retry` when a hop before has asked once already."""

    deadline: float | None = None
    is_retry: bool = False


NO_LIMIT = Hop()
_hop: ContextVar[Hop] = ContextVar("hop", default=NO_LIMIT)


def enter(headers: Headers) -> None:
    """What follows in this thread or task belongs to the request with `headers`."""
    moment = _number(headers.get(DEADLINE))
    left = None if moment is None else moment / 1000 - time.time()
    _hop.set(Hop(_from_now(left), headers.get(ATTEMPT) is not None))


def enter_from_outside(headers: Headers, longest: float) -> None:
    """The same for a client of the shop: it has `longest` seconds, or fewer if it says so."""
    said = _number(headers.get(TIMEOUT))
    _hop.set(Hop(_from_now(longest if said is None else min(longest, said / 1000))))


def time_left() -> float | None:
    """Seconds, below zero when it is over; None when nobody has set a limit."""
    deadline = _hop.get().deadline
    return None if deadline is None else deadline - time.monotonic()


@contextmanager
def at_most(seconds: float) -> Iterator[None]:
    """What is done within has no more than `seconds`, whatever the request has left."""
    before = _hop.get()
    within = time.monotonic() + seconds
    deadline = within if before.deadline is None else min(within, before.deadline)
    token = _hop.set(before._replace(deadline=deadline))
    try:
        yield
    finally:
        _hop.reset(token)


def check() -> None:
    """Raise DeadlineOver when whoever asked waits no longer: nobody would read the answer."""
    left = time_left()
    if left is not None and left <= 0:
        raise DeadlineOver("The time for this request is over; it was not worked on any further.")


def may_retry() -> bool:
    """Never in two layers at once: who was asked a second time does not ask a second time."""
    return not _hop.get().is_retry


def outgoing(*, is_retry: bool = False) -> dict[str, str]:
    """The headers for the next hop."""
    hop, headers = _hop.get(), {}
    if hop.deadline is not None:
        moment = time.time() + hop.deadline - time.monotonic()
        headers[DEADLINE] = str(int(moment * 1000))
    if is_retry or hop.is_retry:
        headers[ATTEMPT] = "2"
    return headers


def _number(text: str | None) -> int | None:
    """What is malformed is as if not said."""
    if text is None or not (text.isascii() and text.isdigit() and len(text) <= LONGEST_NUMBER):
        return None
    return int(text)


def _from_now(seconds: float | None) -> float | None:
    return None if seconds is None else time.monotonic() + seconds

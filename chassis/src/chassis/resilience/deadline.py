"""Deadline propagation, as in gRPC and Google's SRE book, and the mark of a retry.

Both travel with a request from process to process, in headers beside its trace.
A client says how long it will wait (`X-Request-Timeout-Ms`); between our own processes the moment
itself travels, for the time that a request lies in a queue counts too.
"""

import math
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import NamedTuple

from chassis.core.errors import DeadlineOver
from chassis.observability.propagation import Headers

TIMEOUT = "X-Request-Timeout-Ms"
DEADLINE = "X-Request-Deadline"  # milliseconds since 1970
ATTEMPT = "X-Request-Attempt"
LONGEST_NUMBER = 15


class RequestDeadline(NamedTuple):
    """`deadline` is of time.monotonic; `is_retry` when a process before has tried once already."""

    deadline: float | None = None
    is_retry: bool = False

    @property
    def is_over(self) -> bool:
        return self.deadline is not None and self.deadline <= time.monotonic()

    def check(self) -> None:
        """Raise DeadlineOver when the caller waits no longer: nobody would read the response."""
        if self.is_over:
            raise DeadlineOver("The request took too long and was not processed any further.")


NO_LIMIT = RequestDeadline()
_current: ContextVar[RequestDeadline] = ContextVar("deadline", default=NO_LIMIT)


def enter(headers: Headers) -> None:
    """What follows in this thread or task belongs to the request with `headers`."""
    moment = _number(headers.get(DEADLINE))
    left = None if moment is None else moment / 1000 - time.time()
    _current.set(RequestDeadline(_from_now(left), headers.get(ATTEMPT) is not None))


def requested(headers: Headers) -> float | None:
    """The seconds that a client of the shop says it will wait."""
    milliseconds = _number(headers.get(TIMEOUT))
    return None if milliseconds is None else milliseconds / 1000


def enter_from_outside(seconds: float | None, longest: float, came: float | None = None) -> None:
    """The same for a client that will wait `seconds`: it has those, but `longest` at the most.

    They count from `came`, of time.monotonic, or from now.
    """
    within = longest if seconds is None else min(longest, seconds)
    _current.set(RequestDeadline((time.monotonic() if came is None else came) + within))


def current() -> RequestDeadline:
    """That of the request which this thread or task works on."""
    return _current.get()


def time_left() -> float | None:
    """Seconds, below zero when it is over; None when there is no limit."""
    deadline = _current.get().deadline
    return None if deadline is None else deadline - time.monotonic()


@contextmanager
def at_most(seconds: float) -> Iterator[None]:
    """What is done within has no more than `seconds`, whatever the request has left."""
    before = _current.get()
    within = time.monotonic() + seconds
    deadline = within if before.deadline is None else min(within, before.deadline)
    token = _current.set(before._replace(deadline=deadline))
    try:
        yield
    finally:
        _current.reset(token)


@contextmanager
def shared(requests: Iterable[RequestDeadline]) -> Iterator[None]:
    """What is done within is done for all of `requests`, for as long as any of them has time."""
    members = list(requests)
    latest = max(math.inf if request.deadline is None else request.deadline for request in members)
    token = _current.set(
        RequestDeadline(
            None if latest == math.inf else latest, all(request.is_retry for request in members)
        )
    )
    try:
        yield
    finally:
        _current.reset(token)


def check() -> None:
    """As RequestDeadline.check, for the request which this thread or task works on."""
    _current.get().check()


def may_retry() -> bool:
    """Never in two layers at once: a request that is a retry is not retried further."""
    return not _current.get().is_retry


def outgoing(*, is_retry: bool = False) -> dict[str, str]:
    """The headers for the next call."""
    request, headers = _current.get(), {}
    if request.deadline is not None:
        moment = time.time() + request.deadline - time.monotonic()
        headers[DEADLINE] = str(int(moment * 1000))
    if is_retry or request.is_retry:
        headers[ATTEMPT] = "2"
    return headers


def _number(text: str | None) -> int | None:
    """What is malformed is ignored."""
    if text is None or not (text.isascii() and text.isdigit() and len(text) <= LONGEST_NUMBER):
        return None
    return int(text)


def _from_now(seconds: float | None) -> float | None:
    return None if seconds is None else time.monotonic() + seconds

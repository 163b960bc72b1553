"""Group commit: what many requests want at the same moment is done once, for all of them.

DeWitt, Katz et al., *Implementation Techniques for Main Memory Database Systems*, 1984; PostgreSQL
and MySQL commit so.  As in MySQL's binary log, the first who comes leads: it works, in its own
thread, for all who have come by then, and hands on to the first who has come meanwhile.  As in
PostgreSQL (`commit_delay`, `commit_siblings`), it waits a moment for those who are about to come,
if there were more of them the last time.  So one request alone waits for nobody, and there is no
thread that could die or has to be stopped.
For queries it is what Netflix's Hystrix calls request collapsing.
"""

import queue
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Generic, TypeVar

from chassis.core.errors import DeadlineOver, Problem, Unavailable
from chassis.data.outages import is_outage
from chassis.observability import tracing
from chassis.observability.tracing import Kind, TraceContext, Tracer
from chassis.resilience import deadline

T = TypeVar("T")
R = TypeVar("R")

LARGEST = 256
# Who has waited this long for the group under way leads the next one beside it, so that a call
# that hangs holds up nobody but those it was made for: three times what the last group took, for on
# a busy machine all groups take long, but in any case between these two.
LONGEST_WAIT_SECONDS = 0.1
LONGEST_WAIT_WHEN_SLOW_SECONDS = 0.5
# What a group costs is the same for few and for many: somewhat later, it may be for many.
LONGEST_DELAY_SECONDS = 0.04


class GroupCommit(Generic[T, R]):
    """`submit` is called by the threads of requests; `name` is what their traces call the work.

    `work` does what all its items want, or raises and has done nothing.  It returns an outcome for
    each, in their order: a result, or the exception that this item alone is answered with.  When
    it raises what may be the fault of one item, it is called again with each half, and so on.
    """

    def __init__(
        self,
        name: str,
        work: Callable[[Sequence[T]], Sequence[R | Exception]],
        tracer: Tracer,
        longest_wait: float = LONGEST_WAIT_SECONDS,
        longest_delay: float = LONGEST_DELAY_SECONDS,
    ) -> None:
        self._name = name
        self._work = work
        self._tracer = tracer
        self._longest_wait = longest_wait
        self._longest_delay = longest_delay
        self._last_duration = 0.0
        self._last_size = 1
        self._lock = threading.Lock()
        self._waiting: list[_Member[T, R]] = []
        self._leader: _Member[T, R] | None = None

    def submit(self, item: T) -> R:
        """Have the work done for `item`, with whatever else there is to do.

        Raises the item's own exception, what the work failed with, or DeadlineOver.
        """
        member = _Member[T, R](item)
        with self._lock:
            self._waiting.append(member)
            leads = self._leader is None
            if leads:
                self._leader = member
        while not member.is_done:
            if leads:
                self._lead(member)
            leads = not member.is_done and self._is_to_lead(member)
        return member.result()

    def _is_to_lead(self, member: "_Member[T, R]") -> bool:
        """Wait until its group is done or it has to lead one itself; whether that is so."""
        usual = min(3 * self._last_duration, LONGEST_WAIT_WHEN_SLOW_SECONDS)
        if member.wait(max(self._longest_wait, usual)):
            return not member.is_done
        with self._lock:
            is_waiting = member in self._waiting
            if is_waiting and member.deadline.is_over and self._leader is not member:
                self._waiting.remove(member)
                raise DeadlineOver("The request took too long and was not processed any further.")
        if not is_waiting and not member.wait(None) and not member.is_done:
            raise DeadlineOver("The request took too long, and what comes of it is not known.")
        return not member.is_done

    def _lead(self, leader: "_Member[T, R]") -> None:
        if self._last_size > len(self._waiting):
            # As long as the work takes, in which others answer and ask again: with half of that,
            # which PostgreSQL recommends for `commit_delay`, groups stay a third smaller.
            time.sleep(min(self._last_duration, self._longest_delay))
        with self._lock:
            self._leader = leader
            group, self._waiting = self._waiting[:LARGEST], self._waiting[LARGEST:]
            self._last_size = len(group)
        began = time.monotonic()
        try:
            self._work_for([member for member in group if not member.is_refused()])
        finally:
            self._last_duration = time.monotonic() - began
            with self._lock:
                # Unless another has waited too long and leads by now.
                if self._leader is leader:
                    self._leader = self._waiting[0] if self._waiting else None
                    if self._leader:
                        self._leader.wake()

    def _work_for(self, group: "Sequence[_Member[T, R]]") -> None:
        if not group:
            return
        outcomes: Sequence[R | Exception] = [Unavailable("The work was broken off.")] * len(group)
        try:
            with self._context(group):
                outcomes = self._outcomes([member.item for member in group])
        finally:
            for member, outcome in zip(group, outcomes, strict=True):
                member.answer(outcome)

    def _outcomes(self, items: Sequence[T]) -> list[R | Exception]:
        try:
            return list(self._work(items))
        except Exception as error:  # noqa: BLE001 - whatever it is, it is the members' answer
            if len(items) == 1 or _is_nobodys_fault(error):
                return [error] * len(items)
        middle = len(items) // 2
        return self._outcomes(items[:middle]) + self._outcomes(items[middle:])

    @contextmanager
    def _context(self, group: "Sequence[_Member[T, R]]") -> Iterator[None]:
        """The work has the time of the one who has most, and is in the trace of one that is kept.

        The others' traces name that one, and all show how long they have waited for the group.
        """
        traces = [member.trace for member in group if member.trace is not None]
        sampled = [trace for trace in traces if trace.is_sampled]
        chosen = next(iter(sampled or traces), None)
        if len(group) > 1:
            for member in group:
                if member.trace is not None and member.trace.is_sampled:
                    self._report_wait(member, len(group), chosen)
        with deadline.shared(member.deadline for member in group), tracing.continued(chosen):
            yield

    def _report_wait(self, member: "_Member[T, R]", size: int, chosen: TraceContext | None) -> None:
        tags = {"group.size": str(size)}
        if chosen is not None and chosen is not member.trace:
            tags["group.trace"] = chosen.trace_id
        self._tracer.report(
            f"wait for group: {self._name}",
            Kind.LOCAL,
            self._tracer.child_of(member.trace),
            member.joined,
            remote=None,
            tags=tags,
        )


class _Member(Generic[T, R]):
    """One request that waits, with what belongs to it alone."""

    __slots__ = ("_outcome", "_woken", "deadline", "is_done", "item", "joined", "trace")

    def __init__(self, item: T) -> None:
        self.item = item
        self.joined = time.time()
        self.deadline = deadline.current()
        self.trace = tracing.current()
        self.is_done = False
        self._outcome: R | Exception | None = None
        self._woken: queue.SimpleQueue[None] = queue.SimpleQueue()

    def wait(self, seconds: float | None) -> bool:
        """Whether it was woken within `seconds` and the time that its request has."""
        left = deadline.time_left()
        if left is not None:
            seconds = max(0.0, left if seconds is None else min(left, seconds))
        try:
            self._woken.get(timeout=seconds)
        except queue.Empty:
            return False
        return True

    def wake(self) -> None:
        self._woken.put(None)

    def is_refused(self) -> bool:
        """Nothing is begun for somebody who waits no longer."""
        if self.deadline.is_over:
            self.answer(
                DeadlineOver("The request took too long and was not processed any further.")
            )
        return self.is_done

    def answer(self, outcome: R | Exception) -> None:
        self._outcome = outcome
        self.is_done = True
        self.wake()

    def result(self) -> R:
        if isinstance(self._outcome, Exception):
            raise self._outcome
        return self._outcome  # type: ignore[return-value]


def outcome_of(rule: Callable[[], R]) -> R | Exception:
    """What `rule` returns, or the Problem that it raises, for the one item it was asked about."""
    try:
        return rule()
    except Problem as problem:
        return problem


def _is_nobodys_fault(error: Exception) -> bool:
    """Whether no member is to blame, so that it would not help to try with fewer."""
    return isinstance(error, Unavailable) or is_outage(error)

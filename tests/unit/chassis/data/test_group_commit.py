"""Group commit: one alone waits for nobody, many are served together, and each by its own fate."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import Context
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError

from chassis.core.errors import Conflict, DeadlineOver, Unavailable
from chassis.core.live import Live
from chassis.data.group_commit import GroupCommit, outcome_of
from chassis.observability import tracing
from chassis.observability.sampling import Sampler, SamplingRules
from chassis.observability.tracing import Kind, Tracer
from chassis.resilience import deadline

LONG = 10.0
# So that no test depends on who is how fast.
UNLIMITED = 60.0


class Work:
    """Doubles each number, in groups that are noted; once closed, each group needs a permit."""

    def __init__(self) -> None:
        self.groups: list[list[int]] = []
        self.threads: list[int] = []
        self.traces: list[Any] = []
        self.times: list[float | None] = []
        self.errors: dict[int, BaseException] = {}
        self._permits = threading.Semaphore(100_000)

    def close(self) -> None:
        self._permits = threading.Semaphore(0)

    def open(self, groups: int = 1000) -> None:
        self._permits.release(groups)

    def __call__(self, numbers: Sequence[int]) -> list[int | Exception]:
        self.groups.append(list(numbers))
        self.threads.append(threading.get_ident())
        self.traces.append(tracing.current())
        self.times.append(deadline.time_left())
        assert self._permits.acquire(timeout=LONG)
        for number in numbers:
            if number in self.errors:
                raise self.errors[number]
        return [outcome_of(lambda n=number: double(n)) for number in numbers]  # type: ignore[misc]


def double(number: int) -> int:
    if number < 0:
        raise Conflict("A negative number.")
    return 2 * number


class Requests:
    """Threads that each submit one number, as those of a web server do."""

    def __init__(self, group_commit: GroupCommit[int, int], pool: ThreadPoolExecutor) -> None:
        self.group_commit = group_commit
        self.pool = pool

    def submit(self, number: int, seconds: float | None = None, trace: Any = None) -> Future[int]:
        """A request that has joined, with so much time."""
        before = len(self.group_commit._waiting)
        led = self.group_commit._leader is None

        def request() -> int:
            tracing._current.set(trace)
            if seconds is None:
                return self.group_commit.submit(number)
            with deadline.at_most(seconds):
                return self.group_commit.submit(number)

        future = self.pool.submit(Context().run, request)
        if not led:
            until(lambda: len(self.group_commit._waiting) > before or future.done())
        return future


def until(condition: Callable[[], Any]) -> None:
    end = time.monotonic() + LONG
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.001)


@pytest.fixture
def work() -> Work:
    return Work()


@pytest.fixture
def spans() -> list[Any]:
    return []


@pytest.fixture
def tracer(spans: list[Any]) -> Tracer:
    return Tracer("test", Sampler(Live(SamplingRules())), spans.append)


@pytest.fixture
def requests(work: Work, tracer: Tracer) -> Iterator[Requests]:
    with ThreadPoolExecutor(32) as pool:
        yield Requests(GroupCommit("double", work, tracer, longest_wait=UNLIMITED), pool)
        work.open()


def under_way(requests: Requests, work: Work, number: int = 1) -> Future[int]:
    """A first request whose work is under way and stands still."""
    work.close()
    first = requests.submit(number)
    until(lambda: work.groups)
    return first


def test_a_request_alone_is_served_at_once_in_its_own_thread(work: Work, tracer: Tracer) -> None:
    group_commit = GroupCommit("double", work, tracer)

    assert [group_commit.submit(n) for n in (1, 2, 3)] == [2, 4, 6]

    assert work.groups == [[1], [2], [3]]
    assert set(work.threads) == {threading.get_ident()}


def test_a_request_alone_waits_for_no_company(work: Work, tracer: Tracer) -> None:
    group_commit = GroupCommit("double", work, tracer, longest_delay=LONG)
    group_commit._last_duration = LONG

    began = time.monotonic()
    for number in (1, 2, 3):
        group_commit.submit(number)

    assert time.monotonic() - began < LONG / 2


def test_the_first_waits_a_moment_when_the_group_before_was_larger(
    work: Work, requests: Requests
) -> None:
    first = under_way(requests, work)
    others = [requests.submit(number) for number in (2, 3)]
    work.open()
    for future in (first, *others):
        future.result(LONG)
    requests.group_commit._last_duration = LONG
    requests.group_commit._longest_delay = 0.3

    late = [requests.submit(4), requests.submit(5)]

    assert [future.result(LONG) for future in late] == [8, 10]
    assert work.groups == [[1], [2, 3], [4, 5]]


def test_those_who_come_while_a_group_is_under_way_are_the_next_one(
    work: Work, requests: Requests
) -> None:
    first = under_way(requests, work)
    others = [requests.submit(number) for number in (2, 3, 4)]

    work.open()

    assert [future.result(LONG) for future in (first, *others)] == [2, 4, 6, 8]
    assert work.groups == [[1], [2, 3, 4]]


def test_one_that_is_refused_hurts_no_other(work: Work, requests: Requests) -> None:
    first = under_way(requests, work)
    good, bad, good_too = requests.submit(2), requests.submit(-1), requests.submit(3)

    work.open()

    assert [good.result(LONG), good_too.result(LONG), first.result(LONG)] == [4, 6, 2]
    with pytest.raises(Conflict):
        bad.result(LONG)
    assert len(work.groups) == 2


def test_a_group_that_fails_is_halved_until_the_guilty_one_is_alone(
    work: Work, requests: Requests
) -> None:
    work.errors = {7: ValueError("seven")}
    under_way(requests, work)
    futures = {number: requests.submit(number) for number in range(2, 10)}

    work.open()

    with pytest.raises(ValueError, match="seven"):
        futures.pop(7).result(LONG)
    assert {number: future.result(LONG) for number, future in futures.items()} == {
        number: 2 * number for number in futures
    }
    assert [7] in work.groups


@pytest.mark.parametrize(
    "error", [Unavailable("away"), OperationalError("SELECT", {}, Exception("away"))]
)
def test_what_is_nobodys_fault_is_everybodys_answer_and_not_tried_again(
    work: Work, requests: Requests, error: Exception
) -> None:
    work.errors = {3: error}
    under_way(requests, work)
    futures = [requests.submit(number) for number in (2, 3, 4)]

    work.open()

    for future in futures:
        with pytest.raises(type(error)):
            future.result(LONG)
    assert work.groups == [[1], [2, 3, 4]]


def test_who_runs_out_of_time_while_it_waits_is_not_worked_for(
    work: Work, requests: Requests
) -> None:
    first = under_way(requests, work)
    late = requests.submit(2, seconds=0.01)
    other = requests.submit(3)

    with pytest.raises(DeadlineOver, match="not processed"):
        late.result(LONG)
    work.open()

    assert (first.result(LONG), other.result(LONG)) == (2, 6)
    assert work.groups == [[1], [3]]


def test_who_runs_out_of_time_while_its_group_is_under_way_waits_no_longer(
    work: Work, requests: Requests
) -> None:
    first = under_way(requests, work)
    leader, late = requests.submit(2), requests.submit(3, seconds=0.5)
    work.open(groups=1)
    assert first.result(LONG) == 2

    with pytest.raises(DeadlineOver, match="not known"):
        late.result(LONG)
    work.open()

    assert leader.result(LONG) == 4
    assert work.groups == [[1], [2, 3]]


def test_a_group_that_hangs_holds_up_only_its_own(work: Work, tracer: Tracer) -> None:
    group_commit = GroupCommit("double", work, tracer, longest_wait=0.02)
    hanging = threading.Event()

    def hangs_at_first(numbers: Sequence[int]) -> list[int | Exception]:
        if numbers[0] == 1:
            assert hanging.wait(LONG)
        return work(numbers)

    group_commit._work = hangs_at_first
    with ThreadPoolExecutor(8) as pool:
        stuck = pool.submit(group_commit.submit, 1)
        until(lambda: group_commit._leader)
        others = [pool.submit(group_commit.submit, number) for number in (2, 3)]

        assert [future.result(LONG) for future in others] == [4, 6]
        assert not stuck.done()
        hanging.set()
        assert stuck.result(LONG) == 2
    assert group_commit.submit(4) == 8


def test_the_work_has_the_time_of_the_member_who_has_most(work: Work, requests: Requests) -> None:
    under_way(requests, work)
    futures = [requests.submit(2, seconds=20), requests.submit(3, seconds=40)]

    work.open()
    for future in futures:
        future.result(LONG)

    assert work.times[0] is None
    assert work.times[1] is not None
    assert 20 < work.times[1] <= 40


def test_each_trace_shows_how_long_it_waited_and_where_the_work_is(
    work: Work, requests: Requests, tracer: Tracer, spans: list[Any]
) -> None:
    unsampled, one, other = (tracer.new_trace(sampled) for sampled in (False, True, True))
    under_way(requests, work)
    futures = [requests.submit(2, trace=unsampled), requests.submit(3, trace=one)]
    futures.append(requests.submit(4, trace=other))

    work.open()
    for future in futures:
        future.result(LONG)

    assert work.traces[1] == one
    assert [(span.name, span.kind, span.trace_id, span.parent_id) for span in spans] == [
        ("wait for group: double", Kind.LOCAL, trace.trace_id, trace.span_id)
        for trace in (one, other)
    ]
    assert [span.tags for span in spans] == [
        {"group.size": "3"},
        {"group.size": "3", "group.trace": one.trace_id},
    ]


def test_a_request_alone_has_no_span_of_waiting(
    tracer: Tracer, spans: list[Any], work: Work
) -> None:
    with tracer.span("request", Kind.SERVER):
        GroupCommit("double", work, tracer).submit(1)

    assert [span.name for span in spans] == ["request"]


def test_a_leader_that_is_interrupted_leaves_nobody_waiting(work: Work, requests: Requests) -> None:
    work.errors = {3: SystemExit()}
    under_way(requests, work)
    futures = [requests.submit(2), requests.submit(3)]

    work.open()

    raised = {type(future.exception(LONG)) for future in futures}
    assert raised <= {SystemExit, Unavailable}
    assert Unavailable in raised
    assert requests.submit(5).result(LONG) == 10


def test_of_many_threads_each_gets_its_own_result_and_is_served_once(
    work: Work, tracer: Tracer
) -> None:
    group_commit = GroupCommit("double", work, tracer, longest_wait=0.005)
    threads, rounds = 24, 50

    def client(first: int) -> bool:
        numbers = range(first * 1000, first * 1000 + rounds)
        return [group_commit.submit(number) for number in numbers] == [2 * n for n in numbers]

    with ThreadPoolExecutor(threads) as pool:
        assert all(pool.map(client, range(threads)))

    served = [number for group in work.groups for number in group]
    assert len(served) == len(set(served)) == threads * rounds
    assert group_commit._leader is None
    assert group_commit._waiting == []

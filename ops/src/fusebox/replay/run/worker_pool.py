"""Worker pool: several clients at work on one list; the first that fails ends it for all."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from types import TracebackType
from typing import Self, TypeVar

from fusebox.replay.run.client import ReplayClient
from fusebox.replay.run.retry_policy import ReplayStopped, RetryPolicy

TICK_SECONDS = 0.2

Item = TypeVar("Item")


class WorkerPool:
    def __init__(self, gateway: str, size: int, retry_policy: RetryPolicy) -> None:
        self._retry_policy = retry_policy
        self._pool = ThreadPoolExecutor(size, thread_name_prefix="replay")
        self._clients = [ReplayClient(gateway, retry_policy) for _ in range(size)]

    def run_all(
        self,
        items: Sequence[Item],
        action: Callable[[ReplayClient, Item], object],
        report_progress: Callable[[int], None] = lambda _: None,
    ) -> None:
        """`action` on every item; `report_progress` gets now and then how many are done."""
        todo, done = deque(items), list[Item]()

        def work(client: ReplayClient) -> None:
            # Items that others still work on are theirs: an empty list is the end.
            while (item := _next(todo)) is not None:
                action(client, item)
                done.append(item)

        pending = {self._pool.submit(work, client) for client in self._clients}
        while pending:
            finished, pending = wait(pending, TICK_SECONDS, return_when=FIRST_EXCEPTION)
            _raise_first(finished)
            report_progress(len(done))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._retry_policy.stop.set()
        self._pool.shutdown(cancel_futures=True)
        for client in self._clients:
            client.close()


def _raise_first(finished: set[Future[None]]) -> None:
    """Raise what ended a worker; that others were stopped by it is no news."""
    errors = [error for future in finished if (error := future.exception())]
    if errors:
        raise min(errors, key=lambda error: isinstance(error, ReplayStopped))


def _next(todo: deque[Item]) -> Item | None:
    try:
        return todo.popleft()
    except IndexError:
        return None

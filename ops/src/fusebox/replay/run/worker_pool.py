"""Several hands at work on one list; the first that fails ends it for all."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from types import TracebackType
from typing import Self, TypeVar

from fusebox.replay.run.client import Hand
from fusebox.replay.run.retry_policy import Patience, Stopped

TICK_SECONDS = 0.2

Item = TypeVar("Item")


class Crew:
    def __init__(self, gateway: str, size: int, patience: Patience) -> None:
        self._patience = patience
        self._pool = ThreadPoolExecutor(size, thread_name_prefix="replay")
        self._hands = [Hand(gateway, patience) for _ in range(size)]

    def each(
        self,
        items: Sequence[Item],
        act: Callable[[Hand, Item], object],
        told: Callable[[int], None] = lambda _: None,
    ) -> None:
        """`act` on every item; `told` hears now and then how many are done."""
        todo, done = deque(items), list[Item]()

        def work(hand: Hand) -> None:
            # What others still have in hand is theirs: an empty list is the end.
            while (item := _next(todo)) is not None:
                act(hand, item)
                done.append(item)

        pending = {self._pool.submit(work, hand) for hand in self._hands}
        while pending:
            finished, pending = wait(pending, TICK_SECONDS, return_when=FIRST_EXCEPTION)
            _raise_first(finished)
            told(len(done))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._patience.stop.set()
        self._pool.shutdown(cancel_futures=True)
        for hand in self._hands:
            hand.close()


def _raise_first(finished: set[Future[None]]) -> None:
    """Raise what ended a hand's work; that others were stopped by it is no news."""
    errors = [error for future in finished if (error := future.exception())]
    if errors:
        raise min(errors, key=lambda error: isinstance(error, Stopped))


def _next(todo: deque[Item]) -> Item | None:
    try:
        return todo.popleft()
    except IndexError:
        return None

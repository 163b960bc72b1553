"""The way into the networks of a shop of containers: functions run in its container `ops`.

A process of its own runs there for as long as the one here does, and takes calls over its
standard input: one is done in milliseconds, where `docker exec` takes a quarter of a second.
"""

from __future__ import annotations

import base64
import itertools
import os
import pickle
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import lru_cache
from typing import Any, TypeVar

from fusebox.core.errors import Fault
from fusebox.core.stack import Stack

T = TypeVar("T")
CALLS_AT_ONCE = 16


class Relay:
    """Calls of one stack; the process inside is started by the first, and anew when it ended."""

    def __init__(self, command: list[str]) -> None:
        self._command = command
        self._lock = threading.Lock()
        self._link: _Link | None = None

    def run(self, function: Callable[..., T], *arguments: Any, **named: Any) -> T:
        """`function(stack, …)` inside; raises what it raises."""
        with self._lock:
            if self._link is None or self._link.is_over:
                self._link = _Link(self._command)
            answer: Future[T] = self._link.ask(function, arguments, named)
        return answer.result()

    def close(self) -> None:
        if self._link is not None:
            self._link.close()


class _Link:
    """One process inside, and who waits for its answers."""

    def __init__(self, command: list[str]) -> None:
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        self._numbers = itertools.count()
        self._lock = threading.Lock()
        self._waiting: dict[int, Future[Any]] = {}
        self.is_over = False
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def ask(self, *asked: Any) -> Future[Any]:
        answer: Future[Any] = Future()
        with self._lock:
            number = next(self._numbers)
            self._waiting[number] = answer
            try:
                _write(self._process.stdin, (number, *asked))
            except OSError:
                self._give_up()
        return answer

    def close(self) -> None:
        """The process inside ends with its standard input."""
        self._process.stdin.close()  # type: ignore[union-attr]
        self._reader.join()

    def _read(self) -> None:
        with self._process:
            try:
                while (said := _read(self._process.stdout)) is not None:
                    self._pass_on(*said)
            finally:  # whatever comes, nobody waits without end
                with self._lock:
                    self._give_up()

    def _pass_on(self, number: int, result: Any, error: Exception | None) -> None:
        answer = self._waiting.pop(number)
        if error is None:
            answer.set_result(result)
        else:
            answer.set_exception(error)

    def _give_up(self) -> None:
        self.is_over = True
        while self._waiting:
            _, answer = self._waiting.popitem()
            answer.set_exception(
                Fault(
                    "the container `ops` does not run, and nothing inside can be asked",
                    remedy="docker compose up --detach ops",
                )
            )


@lru_cache
def relay_of(stack: Stack) -> Relay:
    inner = ["python", "-m", "fusebox.runtime.relay"]
    return Relay(["docker", "exec", "--interactive", stack.container("ops-1"), *inner])


def _write(pipe: Any, message: Any) -> None:
    pipe.write(base64.b64encode(pickle.dumps(message)) + b"\n")
    pipe.flush()


def _read(pipe: Any) -> Any:
    """The next message; None at the end."""
    line = pipe.readline()
    return pickle.loads(base64.b64decode(line)) if line.endswith(b"\n") else None


def serve() -> None:
    """Inside: do what is asked until standard input ends."""
    stack, lock, output = Stack.from_environment(os.environ), threading.Lock(), sys.stdout.buffer
    sys.stdout = sys.stderr  # whatever is printed must not mix with the answers

    def answer(
        number: int, function: Callable[..., Any], arguments: Any, named: dict[str, Any]
    ) -> None:
        result, error = None, None
        try:
            result = function(stack, *arguments, **named)
        except Exception as raised:  # noqa: BLE001  (told to the caller, who asked for it)
            error = raised
        with lock:
            try:
                _write(output, (number, result, error))
            except (pickle.PicklingError, AttributeError, TypeError) as untold:
                told = Fault(f"{function.__qualname__} has said what cannot be passed on: {untold}")
                _write(output, (number, None, told))

    with ThreadPoolExecutor(CALLS_AT_ONCE) as pool:
        while (asked := _read(sys.stdin.buffer)) is not None:
            pool.submit(answer, *asked)


if __name__ == "__main__":
    # By its real name, so that what it is sent and what it sends is of the same modules.
    from fusebox.runtime import relay

    relay.serve()

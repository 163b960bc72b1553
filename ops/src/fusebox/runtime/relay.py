"""The way into the networks of a shop of containers: functions run in its container `ops`.

A process of its own runs there for as long as the one here does.  It reads calls from its standard
input and writes answers to its standard output, each a line of JSON: a call is done in
milliseconds, where `docker exec` takes a quarter of a second.
"""

from __future__ import annotations

import importlib
import inspect
import itertools
import json
import os
import subprocess
import sys
import threading
import traceback
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import lru_cache
from typing import Any, TypeVar

from fusebox.core.errors import Fault
from fusebox.core.stack import Stack
from fusebox.runtime.json_codec import Json, decoded, encoded, hints_of

T = TypeVar("T")
CALLS_AT_ONCE = 16


class ContainerRelay:
    """Calls of one stack; the process inside is started by the first, and anew when it ended."""

    def __init__(self, command: list[str]) -> None:
        self._command = command
        self._lock = threading.Lock()
        self._link: _Link | None = None

    def run(self, function: Callable[..., T], *arguments: Any, **named: Any) -> T:
        """`function(stack, …)` inside; raises the Fault that it raises."""
        call = {
            "function": f"{function.__module__}:{function.__qualname__}",
            "arguments": encoded(arguments),
            "named": encoded(named),
        }
        with self._lock:
            if self._link is None or self._link.is_over:
                self._link = _Link(self._command)
            answer = self._link.send(call)
        result: T = decoded(hints_of(function).get("return", Any), answer.result())
        return result

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
        self._waiting: dict[int, Future[Json]] = {}
        self.is_over = False
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def send(self, call: dict[str, Json]) -> Future[Json]:
        answer: Future[Json] = Future()
        with self._lock:
            number = next(self._numbers)
            self._waiting[number] = answer
            try:
                _write_line(self._process.stdin, {"id": number, **call})
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
                while (answer := _read_line(self._process.stdout)) is not None:
                    self._pass_on(answer)
            finally:  # whatever comes, nobody waits without end
                with self._lock:
                    self._give_up()

    def _pass_on(self, answer: dict[str, Json]) -> None:
        future = self._waiting.pop(answer["id"])
        if "fault" in answer:
            future.set_exception(Fault(**answer["fault"]))
        else:
            future.set_result(answer["result"])

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
def relay_of(stack: Stack) -> ContainerRelay:
    inner = ["python", "-m", "fusebox.runtime.relay"]
    return ContainerRelay(["docker", "exec", "--interactive", stack.container("ops-1"), *inner])


def _write_line(pipe: Any, message: dict[str, Json]) -> None:
    pipe.write(json.dumps(message).encode() + b"\n")
    pipe.flush()


def _read_line(pipe: Any) -> Any:
    """The next message; None at the end."""
    line = pipe.readline()
    return json.loads(line) if line.endswith(b"\n") else None


def serve() -> None:
    """Inside: do what is asked until standard input ends."""
    stack, lock, output = Stack.from_environment(os.environ), threading.Lock(), sys.stdout.buffer
    sys.stdout = sys.stderr  # whatever is printed must not mix with the answers

    def answer(call: dict[str, Json]) -> None:
        outcome = _outcome(stack, call)
        with lock:
            _write_line(output, {"id": call["id"], **outcome})

    with ThreadPoolExecutor(CALLS_AT_ONCE) as pool:
        while (call := _read_line(sys.stdin.buffer)) is not None:
            pool.submit(answer, call)


def _outcome(stack: Stack, call: dict[str, Json]) -> dict[str, Json]:
    """The result of the call, or the fault that came of it."""
    try:
        return {"result": encoded(_result(stack, call))}
    except Fault as fault:
        return {"fault": fault.fields()}
    except Exception as error:  # noqa: BLE001  (told to the caller, who asked for it)
        what = f"{call['function']} has failed: {error!r}"
        return {"fault": Fault(what, where=traceback.format_exc().rstrip()).fields()}


def _result(stack: Stack, call: dict[str, Json]) -> object:
    module, _, name = call["function"].partition(":")
    function = getattr(importlib.import_module(module), name)
    given = inspect.signature(function).bind(stack, *call["arguments"], **call["named"])
    hints = hints_of(function)
    for argument in list(given.arguments)[1:]:
        value = given.arguments[argument]
        given.arguments[argument] = decoded(hints.get(argument, Any), value)
    return function(*given.args, **given.kwargs)


if __name__ == "__main__":
    serve()

"""A load generator that costs little itself: the same bytes again and again, on raw connections.

A process of its own: a plan as JSON on its input, a Load on its output.
"""

import asyncio
import gc
import json
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import cast

import httptools

from bench.harness.figures import LoadResult
from bench.harness.stack_under_test import BenchError
from gateway.http import event_loop

LONGEST_SECONDS = 120


@dataclass(frozen=True)
class RawLoad:
    """`count` times `request`, on so many connections: each sends again when it was answered.

    With a `rate`, so many a second altogether; an answer that makes the next request wait is
    counted as that much later.
    """

    port: int
    request: str
    count: int
    connections: int = 32
    rate: float = 0.0


class _RawRun:
    def __init__(self, raw_load: RawLoad) -> None:
        self.request = raw_load.request.encode("latin-1")
        self.pause = raw_load.connections / raw_load.rate if raw_load.rate else 0.0
        self._left = raw_load.count
        self.latencies: list[float] = []
        self.failures = 0

    def takes_one(self) -> bool:
        self._left -= 1
        return self._left >= 0


class _Connection(asyncio.Protocol):
    """`due` is when the next request is to be sent."""

    _transport: asyncio.Transport

    def __init__(self, run: _RawRun, due: float, ended: asyncio.Future[None]) -> None:
        self._run = run
        self._due = due
        self._ended = ended
        self._loop = asyncio.get_running_loop()
        self._parser = httptools.HttpResponseParser(self)
        self._began = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._next()

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_message_complete(self) -> None:
        if self._parser.get_status_code() == 200:
            self._run.latencies.append(time.perf_counter() - self._began)
        else:
            self._run.failures += 1
        self._due += self._run.pause
        self._next()

    def connection_lost(self, _error: Exception | None) -> None:
        if not self._ended.done():
            self._ended.set_result(None)

    def _next(self) -> None:
        early = self._due - time.perf_counter() if self._run.pause else 0.0
        if early > 0:
            # The timer's own lateness is nobody's fault but this one's.
            self._loop.call_later(early, lambda: self._ask(time.perf_counter()))
        else:
            self._ask(self._due if self._run.pause else time.perf_counter())

    def _ask(self, began: float) -> None:
        if not self._run.takes_one():
            self._transport.close()
            return
        self._began = began
        self._transport.write(self._run.request)


async def run(raw_load: RawLoad) -> LoadResult:
    loop, running = asyncio.get_running_loop(), _RawRun(raw_load)
    began, cpu = time.perf_counter(), time.process_time()
    ends: list[asyncio.Future[None]] = [loop.create_future() for _ in range(raw_load.connections)]
    for number, ended in enumerate(ends):
        due = began + number / raw_load.rate if raw_load.rate else began
        made = partial(_Connection, running, due, ended)
        await loop.create_connection(made, "127.0.0.1", raw_load.port)
    await asyncio.gather(*ends)
    took, own_cpu = time.perf_counter() - began, time.process_time() - cpu
    return LoadResult(running.latencies, running.failures, took, own_cpu)


def measure(raw_load: RawLoad) -> LoadResult:
    """Raises BenchError when an answer is other than 200."""
    completed = subprocess.run(
        [sys.executable, "-m", "bench.gateway_comparison.raw_load_generator"],
        input=json.dumps(asdict(raw_load)),
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        timeout=LONGEST_SECONDS,
        check=False,
    )
    if completed.returncode:
        raise BenchError(f"the load generator failed:\n{completed.stderr}")
    load = LoadResult(**json.loads(completed.stdout))
    if load.failures or len(load.latencies) != raw_load.count:
        unanswered = raw_load.count - len(load.latencies)
        raise BenchError(f"{unanswered} of {raw_load.count} requests were not answered")
    return load


async def _main() -> None:
    raw_load = RawLoad(**json.load(sys.stdin))
    json.dump(asdict(await run(raw_load)), sys.stdout)


if __name__ == "__main__":
    gc.disable()  # its pauses would be counted as the gateway's; the run is short
    event_loop.run(_main())

"""The load generator, a process of its own: a plan as JSON on its input, a Load on its output."""

import asyncio
import gc
import json
import sys
import time
from dataclasses import asdict, dataclass, field

import aiohttp

from bench.harness.figures import LoadResult

ANSWER_SECONDS = 15


@dataclass(frozen=True)
class RepeatedCall:
    """The request that one connection sends again and again."""

    method: str
    url: str
    headers: dict[str, str] = field(default_factory=dict)
    body: str | None = None


@dataclass(frozen=True)
class LoadPlan:
    """Each of `calls` on its own keep-alive connection, until `count` answers or `seconds`.

    With a `rate`, so many a second altogether; an answer that makes the next request wait is
    counted as that much later.
    """

    calls: list[RepeatedCall]
    expected: int
    count: int
    seconds: float
    rate: float = 0.0

    def document(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def read(cls, document: str) -> "LoadPlan":
        fields = json.loads(document)
        return cls(**{**fields, "calls": [RepeatedCall(**call) for call in fields["calls"]]})


class _PlanRun:
    def __init__(self, plan: LoadPlan) -> None:
        self._plan = plan
        self._left = plan.count
        self._began = time.perf_counter()
        self._end = self._began + plan.seconds
        self.latencies: list[float] = []
        self.failures = 0

    async def ask(self, session: aiohttp.ClientSession, call: RepeatedCall, number: int) -> None:
        clock = time.perf_counter
        rounds = 0
        while self._left > 0 and clock() < self._end:
            self._left -= 1
            began = await self._turn(number, rounds)
            rounds += 1
            if await self._is_as_expected(session, call):
                self.latencies.append(clock() - began)
            else:
                self.failures += 1

    async def _turn(self, number: int, rounds: int) -> float:
        """When the request of connection `number` was due: now, unless there is a rate."""
        if not self._plan.rate:
            return time.perf_counter()
        due = self._began + (number + rounds * len(self._plan.calls)) / self._plan.rate
        early = due - time.perf_counter()
        if early <= 0:
            return due
        await asyncio.sleep(early)
        # The timer's own lateness is nobody's fault but this one's.
        return time.perf_counter()

    async def _is_as_expected(self, session: aiohttp.ClientSession, call: RepeatedCall) -> bool:
        try:
            async with session.request(
                call.method, call.url, headers=call.headers, data=call.body
            ) as answer:
                await answer.read()
                return answer.status == self._plan.expected
        except (aiohttp.ClientError, TimeoutError):
            return False


async def run(plan: LoadPlan) -> LoadResult:
    timeout = aiohttp.ClientTimeout(total=ANSWER_SECONDS)
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(
        connector=connector, timeout=timeout, cookie_jar=aiohttp.DummyCookieJar()
    ) as session:
        running = _PlanRun(plan)
        began, cpu = time.perf_counter(), time.process_time()
        await asyncio.gather(
            *(running.ask(session, call, number) for number, call in enumerate(plan.calls))
        )
        return LoadResult(
            latencies=running.latencies,
            failures=running.failures,
            took=time.perf_counter() - began,
            own_cpu=time.process_time() - cpu,
        )


def main() -> None:
    plan = LoadPlan.read(sys.stdin.read())
    gc.freeze()
    gc.disable()  # its pauses would be counted as the shop's; the run is short
    json.dump(asdict(asyncio.run(run(plan))), sys.stdout)


if __name__ == "__main__":
    main()

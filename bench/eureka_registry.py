"""Discovery under load, alone: renewals of many instances, and what the whole list costs.

`python -m bench.eureka_registry` measures and prints; `measure` and `lines` are for a larger page.
"""

import asyncio
import itertools
import time
from collections.abc import Sequence
from dataclasses import dataclass

import aiohttp

from bench.harness import single_process
from bench.harness.figures import percentile
from bench.harness.report import milliseconds, table
from bench.harness.single_process import SingleProcess
from bench.harness.stack_under_test import BenchError
from chassis.discovery.client import SETTLING_SECONDS

SIZES = (10, 1_000, 10_000)
RENEWAL_SECONDS = 30
PACED_SECONDS = 10.0
ROUNDS = 3
FLAT_OUT_SECONDS = 3.0
FETCHES = 10
CONNECTIONS = 32
PER_APPLICATION = 50
JSON = {"Accept": "application/json", "Accept-Encoding": "identity"}
FORMS = {
    "JSON": JSON,
    "JSON, gzip": {"Accept": "application/json", "Accept-Encoding": "gzip"},
    "JSON, compact": {**JSON, "X-Eureka-Accept": "compact"},
    "XML": {"Accept": "application/xml", "Accept-Encoding": "identity"},
}


@dataclass(frozen=True)
class Renewals:
    """`cpu` is the share of a core that discovery used while `rate` heartbeats a second came."""

    rate: float
    cpu: float
    latencies: Sequence[float]


@dataclass(frozen=True)
class Fetch:
    """The whole list: `first` seconds when it has to be made, `again` when it is kept ready.

    `cpu` is discovery's CPU seconds for one that is kept ready.
    """

    instances: int
    form: str
    size: int
    first: float
    again: float
    cpu: float


@dataclass(frozen=True)
class RegistryFigures:
    """`on_time` are rounds; `memory` is the resident set in bytes with all instances there."""

    instances: int
    on_time: Sequence[Renewals]
    flat_out: Renewals
    fetches: Sequence[Fetch]
    memory: int


def measure() -> RegistryFigures:
    """On a discovery of its own; takes about a minute."""
    with single_process.discovery() as process:
        time.sleep(SETTLING_SECONDS)  # so long its own client asks often
        return asyncio.run(_Load(process).figures())


def section() -> list[str]:
    return ["## The registry", "", *lines(measure())]


def lines(figures: RegistryFigures) -> list[str]:
    """Two Markdown tables and what was in memory."""
    paced = f"{figures.instances} instances every {RENEWAL_SECONDS} s"
    renewals = [
        *(_renewals(paced, round_) for round_ in figures.on_time),
        _renewals(f"as fast as {CONNECTIONS} connections ask", figures.flat_out),
    ]
    fetches = [
        (
            f"{fetch.instances}, {fetch.form}",
            f"{fetch.size / 1000:.0f} kB",
            milliseconds(fetch.first),
            milliseconds(fetch.again),
            milliseconds(fetch.cpu),
        )
        for fetch in figures.fetches
    ]
    return [
        *table(("renewals", "a second", "CPU of discovery", "p50", "p99"), renewals),
        "",
        *table(("GET /eureka/apps", "size", "made anew", "kept ready", "CPU then"), fetches),
        "",
        f"Discovery then held {figures.memory / 1e6:.0f} MB.",
    ]


def _renewals(name: str, measured: Renewals) -> tuple[str, ...]:
    return (
        name,
        f"{measured.rate:.0f}",
        f"{measured.cpu:.1%} of a core",
        milliseconds(percentile(measured.latencies, 50)),
        milliseconds(percentile(measured.latencies, 99)),
    )


def registration(number: int) -> tuple[str, str, dict[str, object]]:
    """The application, the id and the body of the instance of that number."""
    app, id_ = f"SERVICE-{number // PER_APPLICATION:04}", f"host-{number}:service:8080"
    url = f"http://10.0.0.1:{10_000 + number}"
    instance = {
        "instanceId": id_,
        "hostName": f"host-{number}",
        "app": app,
        "ipAddr": "10.0.0.1",
        "status": "UP",
        "port": {"$": 10_000 + number, "@enabled": "true"},
        "dataCenterInfo": {"name": "MyOwn"},
        "leaseInfo": {"renewalIntervalInSecs": RENEWAL_SECONDS, "durationInSecs": 90},
        "metadata": {"zone": "a", "version": "1.0"},
        "homePageUrl": f"{url}/",
        "statusPageUrl": f"{url}/actuator/info",
        "healthCheckUrl": f"{url}/actuator/health",
        "vipAddress": app.lower(),
        "lastDirtyTimestamp": "1795260909116",
    }
    return app, id_, {"instance": instance}


class _Load:
    def __init__(self, process: SingleProcess) -> None:
        self._base = f"{process.url}/eureka"
        self._process = process
        self._registered = 0

    async def figures(self) -> RegistryFigures:
        timeout = aiohttp.ClientTimeout(total=30)
        connector = aiohttp.TCPConnector(limit=CONNECTIONS)
        async with aiohttp.ClientSession(
            timeout=timeout,
            connector=connector,
            auto_decompress=False,
            headers=single_process.of_guest(),
        ) as session:
            fetches = []
            for size in SIZES:
                await self._register(session, size)
                fetches += [
                    await self._fetch(session, name, headers) for name, headers in FORMS.items()
                ]
            return RegistryFigures(
                instances=self._registered,
                on_time=[await self._on_time(session) for _ in range(ROUNDS)],
                flat_out=await self._flat_out(session),
                fetches=fetches,
                memory=self._process.resident(),
            )

    async def _register(self, session: aiohttp.ClientSession, up_to: int) -> None:
        numbers = iter(range(self._registered, up_to))

        async def some() -> None:
            for number in numbers:
                app, _, body = registration(number)
                async with session.post(f"{self._base}/apps/{app}", json=body) as answer:
                    _expect(answer, 204)

        await asyncio.gather(*(some() for _ in range(CONNECTIONS)))
        self._registered = up_to

    async def _fetch(
        self, session: aiohttp.ClientSession, name: str, headers: dict[str, str]
    ) -> Fetch:
        first, size = await self._list(session, headers)
        cpu = self._process.cpu()
        again = [(await self._list(session, headers))[0] for _ in range(FETCHES)]
        used = (self._process.cpu() - cpu) / FETCHES
        return Fetch(self._registered, name, size, first, percentile(again, 50), used)

    async def _list(
        self, session: aiohttp.ClientSession, headers: dict[str, str]
    ) -> tuple[float, int]:
        began = time.perf_counter()
        async with session.get(f"{self._base}/apps", headers=headers) as answer:
            _expect(answer, 200)
            size = len(await answer.read())
        return time.perf_counter() - began, size

    async def _on_time(self, session: aiohttp.ClientSession) -> Renewals:
        """Evenly, as many instances do that started at different times; one fetches every 1 s."""
        rate = self._registered / RENEWAL_SECONDS
        count = int(rate * PACED_SECONDS)
        latencies: list[float] = []
        began, cpu = time.perf_counter(), self._process.cpu()

        async def one(number: int) -> None:
            await asyncio.sleep(began + number / rate - time.perf_counter())
            latencies.append(await self._renew(session, number))

        async def reader() -> None:
            for _ in range(int(PACED_SECONDS)):
                await self._list(session, FORMS["JSON, gzip"])
                await asyncio.sleep(1)

        await asyncio.gather(reader(), *(one(number) for number in range(count)))
        return self._since(began, cpu, latencies)

    async def _flat_out(self, session: aiohttp.ClientSession) -> Renewals:
        latencies: list[float] = []
        numbers = itertools.cycle(range(self._registered))
        began, cpu = time.perf_counter(), self._process.cpu()

        async def some() -> None:
            while time.perf_counter() - began < FLAT_OUT_SECONDS:
                latencies.append(await self._renew(session, next(numbers)))

        await asyncio.gather(*(some() for _ in range(CONNECTIONS)))
        return self._since(began, cpu, latencies)

    async def _renew(self, session: aiohttp.ClientSession, number: int) -> float:
        app, id_, _ = registration(number)
        began = time.perf_counter()
        url = f"{self._base}/apps/{app}/{id_}?status=UP&lastDirtyTimestamp=1795260909116"
        async with session.put(url) as answer:
            _expect(answer, 200)
        return time.perf_counter() - began

    def _since(self, began: float, cpu: float, latencies: Sequence[float]) -> Renewals:
        took = time.perf_counter() - began
        return Renewals(len(latencies) / took, (self._process.cpu() - cpu) / took, latencies)


def _expect(answer: aiohttp.ClientResponse, status: int) -> None:
    if answer.status != status:
        raise BenchError(f"{answer.url} was answered {answer.status}")


if __name__ == "__main__":
    print("\n".join(lines(measure())))

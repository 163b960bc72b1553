"""What forwarding through the gateway adds: latency at a steady rate, and memory."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import requests

from bench.gateway_comparison import raw_load_generator
from bench.gateway_comparison.raw_load_generator import RawLoad
from bench.harness.figures import percentile
from bench.harness.report import megabytes, milliseconds, table
from bench.harness.single_process import HOST, SingleProcess
from bench.harness.stack_under_test import BenchError

RATE = 1_000
COUNT = 5_000
ROUNDS = 2
IDLE = 1_000
LONG_BYTES = 100_000_000
CHUNK_BYTES = 65_536
SAMPLE_SECONDS = 0.01
SERVICE = "/catalog-service"


def memory(gateway: SingleProcess, request: str) -> list[str]:
    """Of a gateway that was just started: memory that was once used hides what is used later."""
    before = gateway.resident()
    with _idle(gateway, request):
        idle = gateway.resident() - before
    rows = [
        ("at rest", megabytes(before)),
        (f"{IDLE} idle connections more", megabytes(idle)),
        ("most while 100 MB come down more", megabytes(_growth(gateway, _download))),
        ("most while 100 MB go up more", megabytes(_growth(gateway, _upload))),
    ]
    return table(("memory of the gateway (resident)", ""), rows)


def latency(gateway: SingleProcess, upstream: SingleProcess, request: str) -> list[str]:
    through, direct = _latencies(gateway, upstream, request)
    rows = [
        (name, milliseconds(percentile(latencies, 50)), milliseconds(percentile(latencies, 99)))
        for name, latencies in (("upstream alone", direct), ("through the gateway", through))
    ]
    added = [percentile(through, rank) - percentile(direct, rank) for rank in (50, 99)]
    rows.append(("added", milliseconds(added[0]), milliseconds(added[1])))
    return table((f"{RATE} requests a second", "p50", "p99"), rows)


def _latencies(
    gateway: SingleProcess, upstream: SingleProcess, request: str
) -> tuple[list[float], list[float]]:
    """By turns; the upstream minds neither the path nor the token."""
    through: list[float] = []
    direct: list[float] = []
    for _ in range(ROUNDS):
        for process, latencies in ((upstream, direct), (gateway, through)):
            load = RawLoad(process.port, request, COUNT, rate=RATE)
            latencies += raw_load_generator.measure(load).latencies
    return through, direct


@contextmanager
def _idle(gateway: SingleProcess, request: str) -> Iterator[None]:
    """Keep-alive connections after one request each."""
    connections = [socket.create_connection((HOST, gateway.port)) for _ in range(IDLE)]
    try:
        for connection in connections:
            connection.sendall(request.encode())
            if not connection.recv(CHUNK_BYTES).startswith(b"HTTP/1.1 200"):
                raise BenchError("the gateway refused one of many connections")
        yield
    finally:
        for connection in connections:
            connection.close()


def _growth(gateway: SingleProcess, transfer: Callable[[str], None]) -> int:
    """The largest growth of its memory during the transfer, in bytes."""
    ended, before = threading.Event(), gateway.resident()
    sizes = [before]

    def watch() -> None:
        while not ended.wait(SAMPLE_SECONDS):
            sizes.append(gateway.resident())

    watching = threading.Thread(target=watch)
    watching.start()
    try:
        transfer(gateway.url + SERVICE)
    finally:
        ended.set()
        watching.join()
    return max(sizes) - before


def _download(service: str) -> None:
    with requests.get(f"{service}/long/{LONG_BYTES}", stream=True, timeout=30) as answer:
        _check(sum(map(len, answer.iter_content(CHUNK_BYTES))))


def _upload(service: str) -> None:
    chunks = (bytes(CHUNK_BYTES) for _ in range(LONG_BYTES // CHUNK_BYTES))
    answer = requests.post(service + "/swallowed", data=chunks, timeout=30)
    _check(int(answer.text) + LONG_BYTES % CHUNK_BYTES)


def _check(passed: int) -> None:
    if passed != LONG_BYTES:
        raise BenchError(f"{passed} of {LONG_BYTES} bytes have passed")

"""Which processes are refreshed after a change, and that each is refreshed once."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import MappingProxyType

import pytest

from chassis.discovery.instances import Instance
from config_server.notify.announcer import Announcer, BusDestination
from config_server.notify.bus import ConfigBus

from ....identities import NO_IDENTITY


def instance(service: str, number: int = 1, port: int = 1) -> Instance:
    return Instance(f"{service}-{number}", service, "127.0.0.1", port)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("**", {"order-service-1", "order-service-2", "gateway-1"}),
        ("order-service:**", {"order-service-1", "order-service-2"}),
        ("order-service", {"order-service-1", "order-service-2"}),
        ("ORDER-SERVICE:order-service-2", {"order-service-2"}),
        ("nobody:**", set()),
    ],
)
def test_a_destination_matches_as_in_spring_cloud_bus(text: str, meant: set[str]) -> None:
    known = [instance("order-service", 1), instance("order-service", 2), instance("gateway")]

    assert {
        instance_.id for instance_ in known if BusDestination.of(text).matches(instance_)
    } == meant


class RefreshCounter:
    """A process that counts how often it is asked to refresh."""

    def __init__(self) -> None:
        self.paths: list[str] = []
        self.body = b'["a.key"]'
        counter = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                counter.paths.append(self.path)
                self.send_response(200)
                self.send_header("Content-Length", str(len(counter.body)))
                self.end_headers()
                self.wfile.write(counter.body)

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    def until_refreshed(self, times: int) -> None:
        deadline = time.monotonic() + 5
        while len(self.paths) < times and time.monotonic() < deadline:
            time.sleep(0.01)


@contextmanager
def running(announcer: Announcer) -> Iterator[None]:
    stop = threading.Event()
    with ThreadPoolExecutor() as pool:
        run = pool.submit(announcer.run, stop)
        try:
            yield
        finally:
            stop.set()
        run.result(5)


@pytest.fixture
def process() -> Iterator[RefreshCounter]:
    made = RefreshCounter()
    yield made
    made.server.shutdown()
    made.server.server_close()


def test_each_affected_process_is_refreshed_once_and_an_unreachable_one_blocks_none(
    process: RefreshCounter,
) -> None:
    unreachable = instance("order-service", 2, port=1)
    known = {
        "order-service": (unreachable, instance("order-service", 1, process.port)),
        "second-name": (instance("second-name", 1, process.port),),
    }
    announcer = Announcer(lambda: MappingProxyType(known), NO_IDENTITY)
    announcer.changed({"order-service", "order"})
    announcer.changed(None)
    announcer.changed({"catalog-service"})

    with running(announcer):
        process.until_refreshed(1)

    assert process.paths == ["/actuator/refresh"]


@pytest.mark.parametrize("host", ["a..b", f"{'a' * 64}.example", ".", "a b"])
def test_an_instance_whose_host_is_no_host_leaves_the_announcer_running(
    process: RefreshCounter, host: str
) -> None:
    ghost = replace(instance("ghost", 1, port=1), host=host)
    known = {"ghost": (ghost,), "order-service": (instance("order-service", 1, process.port),)}
    announcer = Announcer(lambda: MappingProxyType(known), NO_IDENTITY)

    with running(announcer):
        for times in (1, 2):
            announcer.changed(None)
            process.until_refreshed(times)

    assert process.paths == ["/actuator/refresh"] * 2


@pytest.mark.parametrize(
    "body", [b"", b"ok", b"[" * 200_000, b"<html>", b"3", b"null", b"[1, null]", b'{"a": 1}']
)
def test_any_answer_of_a_foreign_process_leaves_the_announcer_running(
    process: RefreshCounter, body: bytes
) -> None:
    process.body = body
    known = {"foreign-service": (instance("foreign-service", 1, process.port),)}
    announcer = Announcer(lambda: MappingProxyType(known), NO_IDENTITY)

    with running(announcer):
        announcer.changed(None)
        process.until_refreshed(1)
        announcer.changed(None)
        process.until_refreshed(2)

    assert process.paths == ["/actuator/refresh"] * 2


@pytest.mark.parametrize(
    "value",
    [
        b"",
        None,
        b"[]",
        b"{}",
        b"\xff",
        b"[" * 200_000,
        b'{"type": "AckRemoteApplicationEvent", "destinationService": "**"}',
        b'{"type": "RefreshRemoteApplicationEvent"}',
    ],
)
def test_other_events_on_the_bus_are_ignored(value: bytes | None) -> None:
    received: list[BusDestination] = []
    bus = ConfigBus("config-server:1", received.append, lambda: None, lambda: None)

    bus._handle(value)

    assert received == []

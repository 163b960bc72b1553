"""Who is told of a change, and that each is told once."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import MappingProxyType

import pytest

from chassis.discovery.instances import Instance
from config_server.notify.announcer import Announcer, BusDestination
from config_server.notify.bus import ConfigBus


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
def test_a_destination_means_whom_spring_cloud_bus_means(text: str, meant: set[str]) -> None:
    known = [instance("order-service", 1), instance("order-service", 2), instance("gateway")]

    assert {each.id for each in known if BusDestination.of(text).matches(each)} == meant


class Told:
    """A process that counts how often it is told to refresh."""

    def __init__(self) -> None:
        self.paths: list[str] = []
        self.body = b'["a.key"]'
        told = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                told.paths.append(self.path)
                self.send_response(200)
                self.send_header("Content-Length", str(len(told.body)))
                self.end_headers()
                self.wfile.write(told.body)

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    def until_told(self, times: int) -> None:
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
def told() -> Iterator[Told]:
    made = Told()
    yield made
    made.server.shutdown()
    made.server.server_close()


def test_a_change_is_told_to_those_it_concerns_once_and_one_that_is_away_hinders_nobody(
    told: Told,
) -> None:
    away = instance("order-service", 2, port=1)
    known = {
        "order-service": (away, instance("order-service", 1, told.port)),
        "second-name": (instance("second-name", 1, told.port),),
    }
    announcer = Announcer(lambda: MappingProxyType(known))
    announcer.changed({"order-service", "order"})
    announcer.changed(None)
    announcer.changed({"catalog-service"})

    with running(announcer):
        told.until_told(1)

    assert told.paths == ["/actuator/refresh"]


@pytest.mark.parametrize("body", [b"", b"ok", b"<html>", b"3", b"null", b"[1, null]", b'{"a": 1}'])
def test_whatever_a_foreign_process_answers_the_next_change_is_told_too(
    told: Told, body: bytes
) -> None:
    told.body = body
    known = {"foreign-service": (instance("foreign-service", 1, told.port),)}
    announcer = Announcer(lambda: MappingProxyType(known))

    with running(announcer):
        announcer.changed(None)
        told.until_told(1)
        announcer.changed(None)
        told.until_told(2)

    assert told.paths == ["/actuator/refresh"] * 2


@pytest.mark.parametrize(
    "value",
    [
        b"",
        None,
        b"[]",
        b"{}",
        b"\xff",
        b'{"type": "AckRemoteApplicationEvent", "destinationService": "**"}',
        b'{"type": "RefreshRemoteApplicationEvent"}',
    ],
)
def test_what_is_not_for_us_on_the_bus_is_left_alone(value: bytes | None) -> None:
    heard: list[BusDestination] = []
    bus = ConfigBus("config-server:1", heard.append, lambda: None, lambda: None)

    bus._handle(value)

    assert heard == []

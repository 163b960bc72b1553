"""Who is told of a change, and that each is told once."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import MappingProxyType

import pytest

from chassis.listing import Instance
from config_server.announcing import Announcer, Destination
from config_server.bus import Bus


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

    assert {each.id for each in known if Destination.of(text).meets(each)} == meant


class Told:
    """A process that counts how often it is told to refresh."""

    def __init__(self) -> None:
        self.paths: list[str] = []
        told = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                told.paths.append(self.path)
                body = json.dumps(["a.key"]).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()


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
    known = {"order-service": (away, instance("order-service", 1, told.port))}
    announcer = Announcer(lambda: MappingProxyType(known))
    stop = threading.Event()
    announcer.changed({"order-service", "order"})
    announcer.changed(None)
    announcer.changed({"catalog-service"})
    thread = threading.Thread(target=announcer.run, args=(stop,))
    thread.start()

    deadline = threading.Event()
    for _ in range(500):
        if told.paths:
            break
        deadline.wait(0.01)
    stop.set()
    thread.join(5)

    assert told.paths == ["/actuator/refresh"]


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
    heard: list[Destination] = []
    bus = Bus("config-server:1", heard.append, lambda: None, lambda: None)

    bus._hear(value)

    assert heard == []

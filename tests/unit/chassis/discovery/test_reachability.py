"""An instance is reached when it has taken a connection, and only as long as it is listed."""

import socket
from collections.abc import Iterator
from dataclasses import replace
from types import MappingProxyType

import pytest

from chassis.discovery import reachability
from chassis.discovery.instances import Instance, Snapshot
from chassis.discovery.reachability import Reachability


@pytest.fixture
def listening() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.fixture
def silent() -> Iterator[int]:
    """A port at which nobody listens, held so that nobody else gets it."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield held.getsockname()[1]


def listed(*instances: Instance) -> Snapshot:
    return MappingProxyType({"order-service": instances})


def test_who_takes_connections_is_reached_and_who_does_not_is_not(
    listening: int, silent: int
) -> None:
    good = Instance("order-service-1", "order-service", "127.0.0.1", listening, since=7)
    bad = Instance("order-service-2", "order-service", "127.0.0.1", silent, since=8)
    reaching = Reachability(lambda: listed(good, bad))

    reaching.look()

    assert reaching.document() == {"order-service-1": 7}


def test_one_that_registers_anew_has_to_be_reached_anew(listening: int, silent: int) -> None:
    before = Instance("order-service-1", "order-service", "127.0.0.1", listening, since=7)
    snapshots = [listed(before)]
    reaching = Reachability(lambda: snapshots[-1])
    reaching.look()
    assert reaching.document() == {"order-service-1": 7}

    snapshots.append(listed(replace(before, port=silent, since=9)))
    reaching.look()
    assert reaching.document() == {}

    snapshots.append(listed(replace(before, since=10)))
    reaching.look()
    assert reaching.document() == {"order-service-1": 10}


def test_one_that_takes_no_connection_yet_is_tried_again(
    monkeypatch: pytest.MonkeyPatch, silent: int
) -> None:
    monkeypatch.setattr(reachability, "RETRY_SECONDS", 0.0)
    late = Instance("order-service-1", "order-service", "127.0.0.1", 0, since=1)
    snapshot = listed(replace(late, port=silent))
    reaching = Reachability(lambda: snapshot)
    reaching.look()
    assert reaching.document() == {}

    with socket.create_server(("127.0.0.1", 0)) as server:
        snapshot = listed(replace(late, port=server.getsockname()[1]))
        reaching.look()

    assert reaching.document() == {"order-service-1": 1}


@pytest.mark.parametrize(
    ("host", "port"), [("a..b", 80), ("x" * 64, 80), ("127.0.0.1", 99_999), ("", 1), ("a\x00", 1)]
)
def test_an_address_that_nobody_can_have_holds_up_nobody(
    listening: int, host: str, port: int
) -> None:
    odd = Instance("ghost-1", "ghost", host, port)
    good = Instance("order-service-1", "order-service", "127.0.0.1", listening, since=7)
    reaching = Reachability(lambda: listed(odd, good))

    reaching.look()

    assert reaching.document()["order-service-1"] == 7

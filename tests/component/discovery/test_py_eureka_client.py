"""A client from the package registry, written for Netflix's server, unchanged."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from .conftest import Replica, until

PROGRAM = Path(__file__).with_name("foreign_client.py")


class Client:
    def __init__(self, servers: str, port: int) -> None:
        self.id = f"127.0.0.1:foreign:{port}"
        self._process = subprocess.Popen(
            [sys.executable, PROGRAM, servers, str(port)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    def tell(self, action: str) -> list[str]:
        """Have it do that; the instances that it then takes to be UP."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(f"{action}\n")
        self._process.stdin.flush()
        instances: list[str] = json.loads(self._process.stdout.readline())
        return instances

    def known(self) -> list[str]:
        return self.tell("known")

    def stop(self) -> None:
        self._process.communicate("\n", timeout=20)


Start = Callable[[str, int], Client]


@pytest.fixture
def start() -> Iterator[Start]:
    started: list[Client] = []

    def one(servers: str, port: int) -> Client:
        started.append(Client(servers, port))
        return started[-1]

    yield one
    for client in started:
        client.stop()


def test_py_eureka_client_registers_renews_and_finds_the_others(
    discovery: Any, start: Start
) -> None:
    first, second = start(discovery.address, 9001), start(discovery.address, 9002)
    both = [first.id, second.id]

    until(lambda: first.known() == both)

    shown = discovery.instance(f"/apps/FOREIGN/{second.id}")
    assert (shown["metadata"]["zone"], shown["leaseInfo"]["durationInSecs"]) == ("a", 2)
    second.tell("out")
    until(lambda: first.known() == [first.id])
    second.tell("back")
    until(lambda: first.known() == both)


def test_py_eureka_client_leaves_and_the_others_see_it(discovery: Any, start: Start) -> None:
    first, second = start(discovery.address, 9001), Client(discovery.address, 9002)
    until(lambda: len(first.known()) == 2)

    second.stop()

    assert discovery.ids("FOREIGN") == {first.id}
    until(lambda: first.known() == [first.id])


def test_py_eureka_client_registers_again_when_discovery_has_forgotten_it(
    discovery: Any, start: Start
) -> None:
    client = start(discovery.address, 9001)
    until(lambda: discovery.ids("FOREIGN"))

    discovery.delete(f"/apps/FOREIGN/{client.id}")

    until(lambda: discovery.ids("FOREIGN") == {client.id})


def test_py_eureka_client_fails_over_when_a_replica_is_killed(
    two: list[Replica], start: Start
) -> None:
    first, second = two
    client = start(f"{first.address},{second.address}", 9001)
    until(lambda: second.ids("FOREIGN"))

    first.kill()
    # One that is not renewed any more lives as long as the client's lease would.
    lease = {"renewalIntervalInSecs": 1, "durationInSecs": 2}
    second.register("forgotten", "FOREIGN", leaseInfo=lease)
    second.put("/apps/FOREIGN/forgotten")

    until(lambda: "forgotten" not in second.ids("FOREIGN"))
    assert second.ids("FOREIGN") == {client.id}

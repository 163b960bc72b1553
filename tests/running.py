"""A real shop of the tests' own: own folder, own ports, all real parts."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from socket import socket
from typing import Any

import pytest
import requests

from fusebox.core.stack import Stack
from fusebox.core.topology import PORTS, part_named
from fusebox.native.process_tree import orphans
from fusebox.operations.drivers import driver_of
from fusebox.runtime import health
from fusebox.runtime.credentials import headers_for
from fusebox.runtime.shop_client import Customer, ShopClient

from . import containers

CLONE = Path(__file__).resolve().parents[1]
# Another folder for whoever runs the tests twice at a time.
HOME = Path(os.environ.get("FUSEBOX_TEST_HOME", CLONE / ".fusebox-test"))
MODE = os.environ.get("FUSEBOX_MODE", "native")
processes_only = pytest.mark.skipif(MODE == "docker", reason="for a shop of plain processes")
CLAIM_PORT = 7_999  # with the offset added, held by the tests that took the offset
FUSEBOX = Path(sys.executable).parent / "fusebox"


@dataclass(frozen=True)
class RunningShop(ShopClient):
    """The shop, with the verbs that break and mend it."""

    stack: Stack
    environment: dict[str, str]

    @classmethod
    @contextmanager
    def opened(cls) -> Iterator["RunningShop"]:
        """Up and stocked; verified and gone in the end, with nothing left behind."""
        with _free_offset() as offset:
            environment = {
                **os.environ,
                "FUSEBOX_HOME": f"{HOME}-docker" if MODE == "docker" else str(HOME),
                "FUSEBOX_MODE": MODE,
                "FUSEBOX_PORT_OFFSET": str(offset),
                "NO_COLOR": "1",
            }
            stack = Stack.from_environment(environment)
            containers.resolve_names_of(stack)
            shop = cls(f"http://127.0.0.1:{stack.port('gateway')}", stack, environment)
            yield from shop._up_and_down()

    def _up_and_down(self) -> Iterator["RunningShop"]:
        self.run("clean", "--yes")
        try:
            print(self.run("up").stdout)
            self.add_stock()
            yield self
            verified = self.run("verify", check=False)
        finally:
            self.run("down")
        assert verified.returncode == 0, verified.stdout
        assert not orphans(self.stack), "`make down` left processes behind"
        if self.stack.mode == "docker":
            assert not containers.left_behind(self.stack), "`make down` left containers behind"
        self.run("clean", "--yes")

    def run(self, *verb: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """`fusebox VERB`, on this stack."""
        completed = subprocess.run(
            [FUSEBOX, *verb], env=self.environment, capture_output=True, text=True, timeout=900
        )
        assert not check or completed.returncode == 0, completed.stdout + completed.stderr
        return completed

    def kill(self, service: str) -> None:
        self.run("kill", service)

    def start(self, service: str) -> None:
        self.run("start", service)

    def rows(self) -> dict[str, dict[str, Any]]:
        """The rows of `status`, by instance."""
        status = json.loads(self.run("status", "--json", check=False).stdout)
        return {row["instance"]: row for row in status["processes"]}

    def faults(self) -> dict[str, list[str]]:
        """The injected faults that `status` shows, by instance."""
        return {name: row["faults"] for name, row in self.rows().items() if row["faults"]}

    def admin(self) -> Customer:
        password = (self.stack.secrets / "admin-password").read_text().strip()
        return self.login("admin@fusebox.example", password)

    def guest_addresses(self) -> dict[str, str]:
        """What `credentials` prints for foreign applications: `eureka` and `config`."""
        printed: dict[str, str] = json.loads(self.run("credentials", "--json").stdout)
        return printed

    def operator(self, part: str) -> dict[str, str]:
        """The headers with which the command line asks that part."""
        return headers_for(self.stack, part_named(part))

    def add_stock(self) -> None:
        """So that no test runs out of stock because of another."""
        admin = self.admin()
        for product_id in ("CATALOG-0001", "CATALOG-0002", "CATALOG-0003"):
            path = f"/catalog-service/catalogs/{product_id}"
            answer = admin.call("PATCH", path, json={"addStock": 100_000})
            assert answer.ok, answer.text

    def breaker(self, caller: str, called: str) -> dict[str, Any]:
        """The state of `caller`'s circuit breaker for `called`."""
        answer = requests.get(f"{self.url_of(caller)}/actuator/circuitbreakers", timeout=5)
        state: dict[str, Any] = answer.json()["circuitBreakers"][called]
        return state

    def address(self, name: str) -> tuple[str, int]:
        """Where these tests reach the part `name`."""
        host, port = self.stack.address(name)
        return containers.reached(self.stack, host), port

    @property
    def kafka(self) -> str:
        host, port = self.address("kafka")
        return f"{host}:{port}"

    @property
    def discovery(self) -> str:
        host, port = self.address("discovery")
        return f"http://{host}:{port}"

    def place_of(self, instance: str) -> health.Endpoint:
        """Where the others reach it: at its own port, whatever discovery knows."""
        address = health.socket(self.stack, driver_of(self.stack).states()[instance])
        assert address, f"{instance} listens nowhere"
        return address

    def url_of_instance(self, instance: str) -> str:
        """The same for these tests."""
        place = self.place_of(instance)
        return f"http://{containers.reached(self.stack, place.host)}:{place.port}"

    @property
    def overlay(self) -> str:
        """The folder of what is set by hand, as config-server has it."""
        return "/var/lib/fusebox/config" if MODE == "docker" else str(self.stack.config)

    def edit(self, name: str, text: str | None) -> None:
        """Write that file of the overlay, or with None remove it."""
        if MODE == "docker":
            containers.edit(self.stack, f"{self.overlay}/{name}", text)
        elif text is None:
            (self.stack.config / name).unlink()
        else:
            (self.stack.config / name).write_text(text)

    def log(self, instance: str) -> str:
        if MODE == "docker":
            return containers.log(f"{self.stack.project}-{instance}")
        return (self.stack.logs / f"{instance}.log").read_text()

    def url_of(self, service: str) -> str:
        registered: list[dict[str, Any]] = []

        def look() -> bool:
            answer = requests.get(
                f"{self.discovery}/eureka/apps/{service}",
                headers={"Accept": "application/json"},
                timeout=5,
            )
            registered[:] = answer.json()["application"]["instance"] if answer.ok else []
            return bool(registered)

        self.until(look)
        host = containers.reached(self.stack, registered[0]["ipAddr"])
        return f"http://{host}:{registered[0]['port']['$']}"

    def trace(self, trace_id: str) -> list[dict[str, Any]]:
        """The spans that Zipkin has of it so far."""
        zipkin = f"http://127.0.0.1:{self.stack.port('zipkin')}"
        try:
            answer = requests.get(f"{zipkin}/api/v2/trace/{trace_id}", timeout=5)
        except requests.ConnectionError:  # the shop does not wait for it when it starts
            return []
        spans: list[dict[str, Any]] = answer.json() if answer.ok else []
        return spans

    def dependencies(self) -> set[tuple[str, str]]:
        """Who calls whom, as Zipkin's page of dependencies draws it from the last hour."""
        now = {"endTs": str(int(time.time() * 1000)), "lookback": "3600000"}
        zipkin = f"http://127.0.0.1:{self.stack.port('zipkin')}"
        links = requests.get(f"{zipkin}/api/v2/dependencies", params=now, timeout=5).json()
        return {(link["parent"], link["child"]) for link in links}

    @staticmethod
    def until(condition: Callable[[], Any], seconds: float = 15) -> None:
        """Wait for `condition`; it is asked often, and a failure says what it was."""
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, f"not within {seconds} s"
            time.sleep(0.05)


@contextmanager
def _free_offset() -> Iterator[int]:
    """An offset whose ports nobody holds, so that other stacks may run beside this one.

    All stay below 32768: above it begin the ports that outgoing connections take.
    """
    for offset in range(10_000, 17_000, 100):
        with socket() as claim:
            if _claimed(claim, offset) and _are_free(offset):
                yield offset
                return
    raise AssertionError("no free ports")


def _claimed(claim: socket, offset: int) -> bool:
    """Of two who look at the same time, and find the same ports free, one gets the offset."""
    try:
        claim.bind(("127.0.0.1", CLAIM_PORT + offset))
    except OSError:
        return False
    return True


def _are_free(offset: int) -> bool:
    return all(_is_free(port + offset) for port in PORTS.values())


def _is_free(port: int) -> bool:
    with socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0

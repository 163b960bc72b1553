"""The stack under measurement: how it is started, asked what it uses, and ended."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import psutil

from bench.harness.machine import cpu_of_tree
from fusebox.cli.welcome import PASTE_HEADING
from fusebox.core.stack import Stack
from fusebox.core.topology import AOT_CACHE_PROCESS, PORTS, part_named
from fusebox.native import process_tree
from fusebox.native.supervisor import Supervisor
from fusebox.network import postgres_probe
from fusebox.runtime import health
from fusebox.runtime.shop_client import Customer, ShopClient

FUSEBOX = Path(sys.executable).parent / "fusebox"
COMMAND_SECONDS = 300
ENDING_SECONDS = 60
SETTLE_SECONDS = 120
PAUSE = 0.1
ADMIN = "admin@fusebox.example"
COUNT_OF_ORDERS = b"SELECT count(*)::text FROM orders"
RATE_OF_A_CLIENT = "fusebox.gateway.rate-limits.client.replenish-rate"
MORE_THAN_THERE_ARE = 1_000_000
UNDECIDED = b"SELECT 1 FROM orders WHERE status = 'PENDING' LIMIT 1"


class BenchError(Exception):
    """A benchmark that could not be run to its end, with the output."""


def free_offset() -> int:
    """An offset whose ports nobody holds; none above 32767, where outgoing connections begin."""
    for offset in range(1_000, 17_000, 100):
        if all(_is_free(port + offset) for port in PORTS.values()):
            return offset
    raise BenchError("no free ports for a stack of its own")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


def own_environment(
    home: Path, offset: int, environment: Mapping[str, str] = os.environ
) -> dict[str, str]:
    inherited = {name: value for name, value in environment.items() if not name.startswith("MAKE")}
    return {
        **inherited,
        "FUSEBOX_HOME": str(home),
        "FUSEBOX_PORT_OFFSET": str(offset),
        "NO_COLOR": "1",
    }


def output_of(command: list[str], environment: Mapping[str, str], folder: Path) -> str:
    """What `command` prints.  Raises BenchError with it when it fails."""
    with subprocess.Popen(
        command,
        env=environment,
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            output, _ = process.communicate(timeout=COMMAND_SECONDS)
        except BaseException:
            # The whole group, and waited for: `make` would go and leave its child at work.
            os.killpg(process.pid, signal.SIGTERM)
            process.communicate(timeout=ENDING_SECONDS)
            raise
    if process.returncode:
        raise BenchError(f"{command[0]} failed:\n{output}")
    return output


def paste_order(welcome: str, environment: Mapping[str, str], folder: Path) -> None:
    """Run the order that `make up` prints, as it stands there."""
    commands = welcome.partition(PASTE_HEADING)[2]
    answer = output_of(["sh", "-c", commands], environment, folder)
    if '"CONFIRMED"' not in answer:
        raise BenchError(f"the printed order was not confirmed:\n{answer}")


class RunningStack:
    """A stack in its own home, on its own ports.  As a context it is gone at the end."""

    mode = "native"

    def __init__(self, clone: Path) -> None:
        self.clone = clone
        home = clone / f".fusebox-bench-{self.mode}"
        self._environment = own_environment(home, free_offset()) | {"FUSEBOX_MODE": self.mode}
        self.stack = Stack.from_environment(self._environment, clone)
        self._supervisor = Supervisor(self.stack)

    def __enter__(self) -> "RunningStack":
        self._remove()
        return self

    def __exit__(self, *_: object) -> None:
        self._remove()

    def first_order(self) -> float:
        """Seconds from `make up` to the confirmation of the order that it prints."""
        began = time.monotonic()
        welcome = output_of(["make", "--silent", "up"], self._environment, self.clone)
        paste_order(welcome, self._environment, self.clone)
        seconds = time.monotonic() - began
        # All the load comes from one address, as of no client that the gateway is for.
        self.verb("set", "--service", "gateway", RATE_OF_A_CLIENT, str(MORE_THAN_THERE_ARE))
        return seconds

    def verb(self, *verb: str) -> str:
        """`fusebox VERB`.  Raises BenchError when it fails."""
        return output_of([str(FUSEBOX), *verb], self._environment, self.clone)

    def await_aot_caches(self) -> None:
        """The JVM's caches are made behind the first start; they would disturb the figures."""

        def is_over() -> bool:
            building = self._supervisor.states().get(AOT_CACHE_PROCESS)
            return building is None or not building.is_running

        wait(is_over, "the JVM's caches are being made")

    def await_zipkin(self) -> None:
        """`make up` does not wait for it, and its start would pass for the shop at rest."""
        instance = part_named("zipkin").instance()

        def is_healthy() -> bool:
            return health.verdict(self.stack, instance, self._supervisor.states()).healthy

        wait(is_healthy, "Zipkin is starting")

    def await_decisions(self) -> None:
        with postgres_probe.connect(self.stack, "order_service") as connection:

            def is_over() -> bool:
                return connection.execute(UNDECIDED).fetchone() is None

            wait(is_over, "orders are undecided")

    def count_of_orders(self) -> int:
        with postgres_probe.connect(self.stack, "order_service") as connection:
            row = connection.execute(COUNT_OF_ORDERS).fetchone()
        return int(str(row[0])) if row else 0

    @property
    def shop(self) -> ShopClient:
        return ShopClient(self.stack.url("gateway"))

    def admin(self) -> Customer:
        return self.shop.login(ADMIN, (self.stack.secrets / "admin-password").read_text().strip())

    def memory(self) -> dict[str, int]:
        """The PSS of each instance with its children, in bytes, and of the supervisor."""
        used = {name: process_tree.memory(pid) for name, pid in self._pids().items()}
        own = psutil.Process(self._supervisor.pid()).memory_full_info().pss
        return {**used, "supervisor": own}

    def cpu(self) -> dict[str, float]:
        """The CPU seconds of each instance with its children, those that ended included."""
        used = {name: cpu_of_tree(pid) for name, pid in self._pids().items()}
        own = psutil.Process(self._supervisor.pid()).cpu_times()
        return {**used, "supervisor": own.user + own.system}

    def _pids(self) -> dict[str, int]:
        return {name: state.pid for name, state in self._supervisor.states().items() if state.pid}

    def _remove(self) -> None:
        self.verb("down")
        self.verb("clean", "--yes")


def wait(is_over: Callable[[], bool], while_what: str) -> None:
    deadline = time.monotonic() + SETTLE_SECONDS
    while not is_over():
        if time.monotonic() > deadline:
            raise BenchError(f"after {SETTLE_SECONDS} s still: {while_what}")
        time.sleep(PAUSE)

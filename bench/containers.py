"""The shop in containers beside that of processes: start, memory, images, an order's cost."""

import json
import subprocess

import psutil

from bench.calibration import Calibration
from bench.harness.figures import Measurement
from bench.harness.machine import cpu_of_tree
from bench.harness.report import megabytes, milliseconds, table
from bench.harness.stack_under_test import RunningStack, wait
from bench.shop_requests import ShopLoads, at_rest
from fusebox.core.errors import Fault
from fusebox.docker import compose, images
from fusebox.operations.drivers import driver_of
from fusebox.operations.verify import command
from fusebox.operations.verify.invariants import PENDING

BASE = "python:3.13-slim"
# What carries containers and their traffic, whoever's they are.
CARRIERS = ("dockerd", "containerd", "containerd-shim-runc-v2", "docker-proxy")
ROUNDS = 2
SECONDS = 10.0


class RunningContainers(RunningStack):
    """A stack of containers, of its own home and project."""

    mode = "docker"

    def await_decisions(self) -> None:
        def is_over() -> bool:
            orders = command.read(self.stack).orders
            return not any(order.status == PENDING for order in orders.values())

        wait(is_over, "orders are undecided")

    def memory(self) -> dict[str, int]:
        driver = driver_of(self.stack)
        return driver.memory(driver.states().values())

    def cpu(self) -> dict[str, float]:
        pids = {name: state.pid for name, state in driver_of(self.stack).states().items()}
        used = {name: cpu_of_tree(pid) for name, pid in pids.items() if pid}
        carriers = [process for process in psutil.process_iter() if process.name() in CARRIERS]
        return {**used, "engine": sum(sum(process.cpu_times()[:2]) for process in carriers)}


def section(native: RunningStack, calibration: Calibration) -> list[str]:
    """Of the engine that answers; where none does it says so."""
    try:
        compose.refuse_unfit()
    except Fault as fault:
        return ["## Containers", "", f"Not measured: {fault.what}."]
    with RunningContainers(native.clone) as running:
        images.ensure(running.stack)
        start = running.first_order()
        memory = running.memory()
        stacks = [
            ShopLoads(native, calibration, at_rest(native)),
            ShopLoads(running, calibration, at_rest(running)),
        ]
        rounds = [(_orders(stacks[0]), _orders(stacks[1])) for _ in range(ROUNDS)]
        return [
            "## Containers",
            "",
            *_figures(start, memory),
            "",
            *_orders_table(rounds),
            "",
            *table(("image", "over its base"), _sizes()),
        ]


def _figures(start: float, memory: dict[str, int]) -> list[str]:
    return [
        f"From built images to the first confirmed order {start:.1f} s"
        f" ({compose.described()}); memory of all containers at rest"
        f" {megabytes(sum(memory.values()))}, the largest"
        f" {max(memory, key=lambda name: memory[name])} with {megabytes(max(memory.values()))}.",
    ]


def _orders(loads: ShopLoads) -> Measurement:
    return loads.orders(loads.running.mode, seconds=SECONDS)


def _orders_table(rounds: list[tuple[Measurement, Measurement]]) -> list[str]:
    rows = [
        (
            f"{number}",
            milliseconds(native.cpu_per_request),
            milliseconds(docker.cpu_per_request - docker.of("engine")),
            milliseconds(docker.of("engine")),
            f"{docker.cpu_per_request / native.cpu_per_request:.2f}",
        )
        for number, (native, docker) in enumerate(rounds, 1)
    ]
    header = ("round", "CPU an order, processes", "in containers", "the engine", "ratio of all")
    return table(header, rows)


def _sizes() -> list[tuple[str, str]]:
    base = _size(BASE)
    return [(image, megabytes(_size(image) - base)) for image in images.names()]


def _size(image: str) -> int:
    completed = subprocess.run(
        ["docker", "image", "inspect", image], capture_output=True, check=True
    )
    size: int = json.loads(completed.stdout)[0]["Size"]
    return size

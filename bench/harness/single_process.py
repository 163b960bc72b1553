"""One process on its own, on a free port: what is measured without a whole stack."""

import atexit
import base64
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import psutil

from bench.harness.machine import cpu_of_tree
from bench.harness.stack_under_test import BenchError
from chassis.core.environment import Environment
from chassis.identity.assertions import OwnIdentity
from fusebox.core import secrets
from fusebox.core.stack import Stack
from fusebox.core.topology import GUEST, guest_password

START_SECONDS = 20.0
ENDING_SECONDS = 10.0
NOBODY = "http://127.0.0.1:9"
HOST = "127.0.0.1"


@dataclass(frozen=True)
class SingleProcess:
    """A program that listens on `port`."""

    port: int
    process: psutil.Process

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}"

    def cpu(self) -> float:
        """The CPU seconds of it and its children."""
        return cpu_of_tree(self.process.pid)

    def resident(self) -> int:
        """Bytes, children included."""
        processes = (self.process, *self.process.children(recursive=True))
        return sum(process.memory_info().rss for process in processes)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


@contextmanager
def running(
    command: Sequence[str], port: int, environment: Mapping[str, str] | None = None
) -> Iterator[SingleProcess]:
    """`command`, from its first connection on, until the context ends."""
    variables = {**os.environ, **(environment or {})}
    nowhere = subprocess.DEVNULL
    folder = Path(__file__).parents[2]
    with subprocess.Popen(
        command, env=variables, cwd=folder, stdout=nowhere, stderr=nowhere
    ) as process:
        try:
            _await(port, command)
            yield SingleProcess(port, psutil.Process(process.pid))
        finally:
            process.terminate()
            try:
                process.wait(ENDING_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()


@contextmanager
def ours(
    service: str, port: int, configuration: Mapping[str, object], **environment: str
) -> Iterator[SingleProcess]:
    """A process of ours that needs no config-server: it has a last known good configuration."""
    with tempfile.TemporaryDirectory(prefix=f"fusebox-{service}-") as folder:
        copy = Path(folder) / "configuration.json"
        copy.write_text(json.dumps([{"name": "bench", "source": configuration}]))
        variables = {
            "CONFIG_SERVER_URL": NOBODY,
            "FUSEBOX_SECRETS": str(secret_files()),
            "FUSEBOX_STATE": folder,
            **environment,
        }
        with running([sys.executable, "-m", f"{service}.main"], port, variables) as process:
            yield process


@cache
def secret_files() -> Path:
    """The folder of those that all processes of this measurement have."""
    home = Path(tempfile.mkdtemp(prefix="fusebox-secrets-"))
    atexit.register(shutil.rmtree, home, ignore_errors=True)
    stack = Stack(home=home, clone=home)
    stack.make_folders()
    secrets.make_missing(stack)
    return stack.secrets


def of_service(service: str) -> dict[str, str]:
    """The headers with which `service` registers itself."""
    environment = Environment.read(service, {"FUSEBOX_SECRETS": str(secret_files())})
    return OwnIdentity(environment).headers("discovery")


def of_guest() -> dict[str, str]:
    """The headers with which anybody else registers."""
    password = (secret_files() / guest_password("discovery")).read_text()
    encoded = base64.b64encode(f"{GUEST}:{password}".encode()).decode()
    return {"Authorization": f"Basic {encoded}"}


@contextmanager
def discovery() -> Iterator[SingleProcess]:
    """Only the load fetches its registry: what the process itself would fetch is left out."""
    port = free_port()
    configuration = {
        "eureka.client.service-url.defaultZone": f"http://{HOST}:{port}/eureka/",
        "eureka.client.registry-fetch-interval-seconds": 3600,
    }
    with ours("discovery", port, configuration, DISCOVERY_PORT=str(port)) as process:
        yield process


def _await(port: int, command: Sequence[str]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex((HOST, port)) == 0:
                return
        time.sleep(0.1)
    raise BenchError(f"{' '.join(command)} does not start")

"""A stack in a folder of the test's own; nothing of it runs.  And processes to be halted."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from fusebox.core.stack import Stack

from .fake_supervisor import ShopWithFakes

# A parent with a child, and the parent's port: what a supervised service looks like.  Both are
# all there when the line is printed: a child that has only begun has the memory of nobody.
FAMILY = """
import socket, subprocess, sys, time
listening = socket.create_server(("127.0.0.1", 0))
sleep = "import time; print(flush=True); time.sleep(60)"
child = subprocess.Popen([sys.executable, "-c", sleep], stdout=subprocess.PIPE)
child.stdout.readline()
print(child.pid, listening.getsockname()[1], flush=True)
time.sleep(60)
"""


class Family:
    """A running process with one child."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        assert process.stdout is not None
        self.process = process
        self.pid = process.pid
        self.child, self.port = map(int, process.stdout.readline().split())


@pytest.fixture
def stack(tmp_path: Path) -> Stack:
    clone = Path(__file__).resolve().parents[3]
    return Stack(home=tmp_path / "home", clone=clone)


@pytest.fixture
def family() -> Iterator[Family]:
    process = subprocess.Popen(
        [sys.executable, "-c", FAMILY], stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    try:
        yield Family(process)
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


@pytest.fixture
def shop(monkeypatch: pytest.MonkeyPatch, stack: Stack) -> ShopWithFakes:
    stack.make_folders()
    return ShopWithFakes(monkeypatch, stack)


@pytest.fixture(autouse=True)
def _broken_pipes_stay_errors() -> Iterator[None]:
    """A verb that ends with its reader lets SIGPIPE end its process, and here that is all tests."""
    before = signal.getsignal(signal.SIGPIPE)
    yield
    signal.signal(signal.SIGPIPE, before)

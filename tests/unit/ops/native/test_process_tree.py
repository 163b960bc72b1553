"""A family of processes is halted and let go as one; a throttle does so again and again."""

import signal
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import psutil

from fusebox.native import process_tree
from fusebox.network import ports

STOPPED = psutil.STATUS_STOPPED


def until(condition: Callable[[], Any]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def states(family: Any) -> set[str]:
    return {psutil.Process(pid).status() for pid in (family.pid, family.child)}


def test_a_pause_halts_the_process_and_its_children(family: Any) -> None:
    process_tree.pause(family.pid)

    until(lambda: states(family) == {STOPPED})
    assert process_tree.is_paused(family.pid)


def test_resume_lets_all_of_them_go_on(family: Any) -> None:
    process_tree.pause(family.pid)
    until(lambda: states(family) == {STOPPED})

    process_tree.resume(family.pid)

    until(lambda: STOPPED not in states(family))
    assert not process_tree.is_paused(family.pid)


def test_a_process_that_is_gone_is_neither_paused_nor_an_error(family: Any) -> None:
    family.process.kill()
    family.process.wait()

    process_tree.resume(family.pid)

    assert not process_tree.is_paused(family.pid)
    assert not process_tree.is_paused(0)
    assert process_tree.members(family.pid) == []
    assert process_tree.memory(family.pid) == process_tree.memory(0) == 0
    assert ports.listening_port(family.pid) is None
    assert process_tree.last_argument(family.pid) == ""


def test_the_port_is_read_off_the_socket(family: Any) -> None:
    assert ports.listening_port(family.pid) == family.port
    assert ports.listening_port(family.child) is None


def test_the_memory_is_that_of_all_of_them(family: Any) -> None:
    parent, child = process_tree.memory(family.pid), process_tree.memory(family.child)

    assert parent > child > 1_000_000


def throttle(pid: int, milliseconds: int) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [sys.executable, "-m", "fusebox.native.throttle", str(pid), str(milliseconds)]
    )


def test_a_throttle_halts_again_and_again_and_leaves_its_victim_running(family: Any) -> None:
    with throttle(family.pid, 60_000) as throttling:
        until(lambda: states(family) == {STOPPED})
        assert process_tree.last_argument(throttling.pid) == "60000"
        throttling.send_signal(signal.SIGTERM)
        assert throttling.wait(10) == 0
    until(lambda: STOPPED not in states(family))


def test_a_throttled_process_runs_in_between(family: Any) -> None:
    with throttle(family.pid, 20) as throttling:
        for _ in range(3):
            until(lambda: process_tree.is_paused(family.pid))
            until(lambda: not process_tree.is_paused(family.pid))
        throttling.terminate()


def test_a_throttle_ends_with_its_victim(family: Any) -> None:
    with throttle(family.pid, 20) as throttling:
        until(lambda: process_tree.is_paused(family.pid))
        family.process.kill()
        family.process.wait()
        assert throttling.wait(10) == 0

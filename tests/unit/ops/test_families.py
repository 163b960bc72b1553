"""A family of processes is halted and let go as one; a brake does so again and again."""

import signal
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import psutil

from fusebox import families

STOPPED = psutil.STATUS_STOPPED


def until(condition: Callable[[], Any]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def states(family: Any) -> set[str]:
    return {psutil.Process(pid).status() for pid in (family.pid, family.child)}


def test_a_pause_halts_the_process_and_its_children(family: Any) -> None:
    families.pause(family.pid)

    until(lambda: states(family) == {STOPPED})
    assert families.is_paused(family.pid)


def test_resume_lets_all_of_them_go_on(family: Any) -> None:
    families.pause(family.pid)
    until(lambda: states(family) == {STOPPED})

    families.resume(family.pid)

    until(lambda: STOPPED not in states(family))
    assert not families.is_paused(family.pid)


def test_a_process_that_is_gone_is_neither_paused_nor_an_error(family: Any) -> None:
    family.process.kill()
    family.process.wait()

    families.resume(family.pid)

    assert not families.is_paused(family.pid)
    assert not families.is_paused(0)
    assert families.members(family.pid) == []
    assert families.memory(family.pid) == families.memory(0) == 0
    assert families.listening_port(family.pid) is None
    assert families.last_argument(family.pid) == ""


def test_the_port_is_read_off_the_socket(family: Any) -> None:
    assert families.listening_port(family.pid) == family.port
    assert families.listening_port(family.child) is None


def test_the_memory_is_that_of_all_of_them(family: Any) -> None:
    parent, child = families.memory(family.pid), families.memory(family.child)

    assert parent > child > 1_000_000


def brake(pid: int, milliseconds: int) -> "subprocess.Popen[bytes]":
    return subprocess.Popen([sys.executable, "-m", "fusebox.brake", str(pid), str(milliseconds)])


def test_a_brake_halts_again_and_again_and_leaves_its_victim_running(family: Any) -> None:
    with brake(family.pid, 60_000) as braking:
        until(lambda: states(family) == {STOPPED})
        assert families.last_argument(braking.pid) == "60000"
        braking.send_signal(signal.SIGTERM)
        assert braking.wait(10) == 0
    until(lambda: STOPPED not in states(family))


def test_a_braked_process_runs_in_between(family: Any) -> None:
    with brake(family.pid, 20) as braking:
        for _ in range(3):
            until(lambda: families.is_paused(family.pid))
            until(lambda: not families.is_paused(family.pid))
        braking.terminate()


def test_a_brake_ends_with_its_victim(family: Any) -> None:
    with brake(family.pid, 20) as braking:
        until(lambda: families.is_paused(family.pid))
        family.process.kill()
        family.process.wait()
        assert braking.wait(10) == 0

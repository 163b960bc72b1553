"""Starting instances and waiting until they are healthy, or telling why they are not."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed

from fusebox.core import progress
from fusebox.core.errors import Fault
from fusebox.core.stack import Stack
from fusebox.core.wait import Cancelled, Late, wait_until
from fusebox.runtime import health, remote
from fusebox.runtime.driver import Driver, State

HEALTHY_SECONDS = 90.0
# Between two questions of a driver that many waits ask side by side.
CHECK_SECONDS = 0.1


class Launcher:
    """Starts instances of a stack and knows when one of them has died meanwhile."""

    def __init__(self, stack: Stack, driver: Driver, cancelled: threading.Event) -> None:
        self._stack = stack
        self._driver = driver
        self._cancelled = cancelled
        self._pids: dict[str, int] = {}

    def launch(self, instance: str) -> None:
        """Start `instance` and return when it is healthy."""
        if self._cancelled.is_set():
            raise Cancelled(instance)
        self._driver.start(instance)
        self._pids[instance] = self._driver.states()[instance].pid
        try:
            wait_until(
                lambda: self._is_healthy(instance),
                HEALTHY_SECONDS,
                instance,
                self._cancelled,
                pause=CHECK_SECONDS,
            )
        except Late as fault:
            raise Late(self._why(instance, fault), where=self._driver.tail(instance)) from fault

    def launch_all(self, instances: Sequence[str]) -> None:
        """Start them side by side; the first that fails gives up the waits for the others."""
        began, display = time.monotonic(), progress.current()
        with ThreadPoolExecutor(max(1, len(instances))) as pool:
            started = {}
            for instance in instances:
                display.started(f"start {instance}")
                started[pool.submit(self.launch, instance)] = f"start {instance}"
            try:
                for launch in as_completed(started):
                    launch.result()
                    display.finished(started[launch], time.monotonic() - began)
            except BaseException:
                self._cancelled.set()
                raise

    def watch(self) -> None:
        """Raise Fault when an instance that was started has died since."""
        started = dict(self._pids)  # first: the states have to be newer
        states = self._driver.states()
        for instance, pid in started.items():
            state = states[instance]
            if not state.is_running or state.pid != pid:
                raise Fault(
                    f"{instance} did not start: {_death(state)}", where=self._driver.tail(instance)
                )

    def _is_healthy(self, instance: str) -> bool:
        return self._verdict(instance).healthy

    def _verdict(self, instance: str) -> health.InstanceHealth:
        return remote.run(self._stack, health.verdict, instance, self._driver.states())

    def _why(self, instance: str, fault: Fault) -> str:
        return f"{fault.what}: {self._verdict(instance).reason}"


def _death(state: State) -> str:
    return state.reason or "it ended while it was starting"

"""Which instances have taken a connection from here: to be listed and to be reached are two things.

Who ends an instance for a new one asks every caller first whether it reaches the new one.
"""

import socket
import threading
import time
from collections.abc import Callable

from chassis.discovery.instances import Instance, Snapshot

PAUSE_SECONDS = 0.25
CONNECT_SECONDS = 0.5
# Whoever registers a host that nobody has is not tried all the time.
RETRY_SECONDS = 1.0


class Reachability:
    """`reached` is read by any thread, `run` is the one that connects."""

    def __init__(self, instances: Callable[[], Snapshot]) -> None:
        self._instances = instances
        self._known: Snapshot | None = None
        self._tried: dict[Instance, float] = {}
        self.reached: frozenset[Instance] = frozenset()

    def document(self) -> dict[str, int]:
        """The instances by their ids, each with the moment since when it is registered."""
        return {instance.id: instance.since for instance in sorted(self.reached, key=_id)}

    def run(self, stop: threading.Event) -> None:
        while not stop.wait(PAUSE_SECONDS):
            self.look()

    def look(self) -> None:
        """Try those that are listed and have not been reached."""
        snapshot = self._instances()
        if snapshot is self._known:
            return
        listed = {instance for instances in snapshot.values() for instance in instances}
        self.reached &= listed
        missing = listed - self.reached
        self._tried = {instance: self._tried.get(instance, 0.0) for instance in missing}
        for instance in sorted(missing, key=self._tried.__getitem__):
            if self._tried[instance] < time.monotonic() - RETRY_SECONDS:
                self._tried[instance] = time.monotonic()
                if _takes_connections(instance):
                    self.reached |= {instance}
        if self.reached == listed:
            self._known = snapshot


def _takes_connections(instance: Instance) -> bool:
    try:
        with socket.create_connection((instance.host, instance.port), CONNECT_SECONDS):
            return True
    except (OSError, ValueError, OverflowError):  # also for what is no host or no port
        return False


def _id(instance: Instance) -> str:
    return instance.id

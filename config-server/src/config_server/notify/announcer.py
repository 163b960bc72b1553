"""Announces changed configuration to the running processes, by POST /actuator/refresh."""

import logging
import queue
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import requests

from chassis.core.internal_http import internal_session
from chassis.discovery.instances import Instance, Snapshot
from chassis.identity.assertions import OwnIdentity
from config_server.notify.watch import log_change

log = logging.getLogger(__name__)

TIMEOUT = (0.5, 5)
CONCURRENT_REFRESHES = 16
ALL = "**"
POLL_SECONDS = 0.5
# Answers of a foreign process without that endpoint, or with a protected one; and of one that faces
# the internet and polls instead.
NOT_REFRESHABLE = (
    requests.codes.unauthorized,
    requests.codes.forbidden,
    requests.codes.not_found,
    requests.codes.method_not_allowed,
)


@dataclass(frozen=True)
class BusDestination:
    """Spring Cloud Bus' way to name receivers: `**`, `order-service:**`, `order-service:{id}`."""

    service: str = ALL
    instance: str = ALL

    @classmethod
    def of(cls, text: str) -> "BusDestination":
        service, _, instance = text.partition(":")
        return cls(service.lower() or ALL, instance or ALL)

    def matches(self, instance: Instance) -> bool:
        return self.service in (ALL, "*", instance.service) and self.instance in (
            ALL,
            "*",
            instance.id,
        )


class Announcer:
    """`run` is for Workers; the other methods only put destinations into its queue."""

    def __init__(self, instances: Callable[[], Snapshot], identity: OwnIdentity) -> None:
        self._instances = instances
        self._identity = identity
        self._queue: queue.SimpleQueue[BusDestination] = queue.SimpleQueue()

    def changed(self, applications: set[str] | None) -> None:
        """The configuration of these applications changed; None: of all."""
        log_change(applications)
        for name in applications or {ALL}:
            self.announce(BusDestination(name))

    def announce(self, destination: BusDestination) -> None:
        self._queue.put(destination)

    def run(self, stop: threading.Event) -> None:
        with ThreadPoolExecutor(CONCURRENT_REFRESHES) as pool:
            while not stop.is_set():
                # Each is refreshed once, however many destinations match it.
                list(pool.map(self._refresh, self._matching(self._drain())))

    def _drain(self) -> list[BusDestination]:
        try:
            destinations = [self._queue.get(timeout=POLL_SECONDS)]
        except queue.Empty:
            return []
        while not self._queue.empty():
            destinations.append(self._queue.get())
        return destinations

    def _matching(self, destinations: Iterable[BusDestination]) -> list[Instance]:
        chosen = list(destinations)
        matching = (
            instance
            for instances in self._instances().values()
            for instance in instances
            if any(destination.matches(instance) for destination in chosen)
        )
        # One that is registered under two names matches twice.
        return list({instance.url: instance for instance in matching}.values())

    def _refresh(self, instance: Instance) -> None:
        """One that cannot be reached loads its configuration when it starts, which it will soon."""
        try:
            with internal_session() as session:
                answer = session.post(
                    f"{instance.url}/actuator/refresh",
                    headers=self._identity.headers(instance.service),
                    timeout=TIMEOUT,
                )
        except (requests.RequestException, ValueError) as error:  # ValueError: its host is no host
            log.info("%s could not be refreshed: %s", instance.id, error)
            return
        if answer.status_code == requests.codes.ok:
            log.info("%s has changed: %s", instance.id, ", ".join(_keys(answer)) or "nothing")
        elif answer.status_code not in NOT_REFRESHABLE:
            log.warning("%s refuses to refresh: %s", instance.id, answer.text)


def _keys(answer: requests.Response) -> list[str]:
    """Foreign processes may answer anything."""
    try:
        keys = answer.json()
    except (requests.JSONDecodeError, RecursionError):
        return []
    return [str(key) for key in keys] if isinstance(keys, list) else []

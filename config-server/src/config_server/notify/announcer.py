"""Tells running processes to ask for their configuration anew."""

import logging
import queue
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import requests

from chassis.discovery.instances import Instance, Snapshot
from config_server.notify.watch import to_the_log

log = logging.getLogger(__name__)

TIMEOUT = (0.5, 5)
AT_ONCE = 16
ALL = "**"
LOOK_SECONDS = 0.5
# A foreign process without that page, or with one that is not for us; one that faces the world,
# and asks by itself.
WITHOUT_THE_PAGE = (
    requests.codes.unauthorized,
    requests.codes.forbidden,
    requests.codes.not_found,
    requests.codes.method_not_allowed,
)


@dataclass(frozen=True)
class Destination:
    """Spring Cloud Bus' way to name receivers: `**`, `order-service:**`, `order-service:{id}`."""

    service: str = ALL
    instance: str = ALL

    @classmethod
    def of(cls, text: str) -> "Destination":
        service, _, instance = text.partition(":")
        return cls(service.lower() or ALL, instance or ALL)

    def meets(self, instance: Instance) -> bool:
        return self.service in (ALL, "*", instance.service) and self.instance in (
            ALL,
            "*",
            instance.id,
        )


class Announcer:
    """`run` is for Workers.  Whoever has something to tell only puts it down."""

    def __init__(self, instances: Callable[[], Snapshot]) -> None:
        self._instances = instances
        self._waiting: queue.SimpleQueue[Destination] = queue.SimpleQueue()

    def changed(self, applications: set[str] | None) -> None:
        """The configuration of these applications changed; None: of all."""
        to_the_log(applications)
        for name in applications or {ALL}:
            self.tell(Destination(name))

    def tell(self, destination: Destination) -> None:
        self._waiting.put(destination)

    def run(self, stop: threading.Event) -> None:
        with ThreadPoolExecutor(AT_ONCE) as pool:
            while not stop.is_set():
                # Each is told once, however many destinations meant it.
                list(pool.map(_refresh, self._met_by(self._taken())))

    def _taken(self) -> list[Destination]:
        try:
            taken = [self._waiting.get(timeout=LOOK_SECONDS)]
        except queue.Empty:
            return []
        while not self._waiting.empty():
            taken.append(self._waiting.get())
        return taken

    def _met_by(self, destinations: Iterable[Destination]) -> list[Instance]:
        known = [each for them in self._instances().values() for each in them]
        wanted = list(destinations)
        met = (each for each in known if any(one.meets(each) for one in wanted))
        return list({each.url: each for each in met}.values())  # who has two names is met twice


def _refresh(instance: Instance) -> None:
    """One that cannot be told asks when it starts, which is what it is probably about to do."""
    try:
        answer = requests.post(f"{instance.url}/actuator/refresh", timeout=TIMEOUT)
    except requests.RequestException as error:
        log.info("%s was not told of the change: %s", instance.id, error)
        return
    if answer.status_code == requests.codes.ok:
        log.info("%s has changed: %s", instance.id, ", ".join(_keys(answer)) or "nothing")
    elif answer.status_code not in WITHOUT_THE_PAGE:
        log.warning("%s refuses the change: %s", instance.id, answer.text)


def _keys(answer: requests.Response) -> list[str]:
    """Foreign processes may answer anything, whatever they are asked."""
    try:
        said = answer.json()
    except requests.JSONDecodeError:
        return []
    return [str(each) for each in said] if isinstance(said, list) else []

"""The client of discovery: this instance's lease, and a snapshot of everybody else's.

Two threads: one registers and renews, one fetches.  Readers only ever see `instances`, an
immutable snapshot, and go on with the last one while discovery is away.
"""

import logging
import os
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import requests

from chassis.environment import Environment
from chassis.settings import Eureka

log = logging.getLogger(__name__)

TIMEOUT = (0.5, 2)
# Within a failed attempt's pause a renewed discovery is found soon, and a dead one is not hammered.
RETRY_SECONDS = 0.5
# After a start the others are starting too, and the first call wants to find them.
SETTLING_SECONDS = 15.0
SETTLING_PAUSE = 0.2


@dataclass(frozen=True)
class Instance:
    """`since` tells one that has registered anew from what it was before."""

    id: str
    service: str
    host: str
    port: int
    since: int = 0

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.port}"


class Registry:
    """`instances` maps a service's name to its instances that are UP, once `fetched` is set.

    `appeared` is told the name of a service of which an instance has come or come back.
    """

    def __init__(
        self,
        environment: Environment,
        settings: Callable[[], Eureka],
        appeared: Callable[[str], None] = lambda _service: None,
    ) -> None:
        self._environment = environment
        self._settings = settings
        self._appeared = appeared
        self._renewing = requests.Session()
        self._fetching = requests.Session()
        self._renewing.trust_env = self._fetching.trust_env = False
        self.instances: Mapping[str, tuple[Instance, ...]] = MappingProxyType({})
        self.registered = threading.Event()
        self.fetched = threading.Event()
        self.port = 0

    def keep_lease(self, stop: threading.Event) -> None:
        """Register, renew until `stop` is set, then leave."""
        while not stop.is_set():
            try:
                self._renew()
                pause = float(self._settings().instance.lease_renewal_interval_in_seconds)
            except requests.RequestException as error:
                log.info("discovery does not answer, the lease is not renewed: %s", error)
                pause = RETRY_SECONDS
            stop.wait(pause)
        self.leave()

    def leave(self) -> None:
        """Out of the registry, so that nobody new calls; harmless when done twice."""
        if not self.registered.is_set():
            return
        self.registered.clear()
        try:
            self._renewing.delete(self._url(), timeout=TIMEOUT)
        except requests.RequestException as error:
            log.info("discovery does not answer, the lease will run out: %s", error)

    def keep_fetching(self, stop: threading.Event) -> None:
        settled = time.monotonic() + SETTLING_SECONDS
        while not stop.is_set():
            try:
                self.fetch()
            except (requests.RequestException, ValueError, KeyError) as error:
                log.info("discovery does not answer, its last list is used: %s", error)
            pause = self._settings().client.registry_fetch_interval_seconds
            stop.wait(pause if time.monotonic() > settled else min(pause, SETTLING_PAUSE))

    def fetch(self) -> None:
        """Replace the snapshot.  Raises what requests raises."""
        answer = self._fetching.get(
            f"{self._base()}/apps", headers={"Accept": "application/json"}, timeout=TIMEOUT
        )
        answer.raise_for_status()
        found: dict[str, list[Instance]] = {}
        for application in answer.json()["applications"]["application"]:
            for each in application["instance"]:
                if each["status"] == "UP":
                    instance = _instance(each)
                    found.setdefault(instance.service, []).append(instance)
        before = self.instances
        self.instances = MappingProxyType({name: tuple(them) for name, them in found.items()})
        self.fetched.set()
        for service, them in self.instances.items():
            if not set(them) <= set(before.get(service, ())):
                self._appeared(service)

    def _renew(self) -> None:
        if self.registered.is_set():
            answer = self._renewing.put(self._url(), timeout=TIMEOUT)
            if answer.status_code != 404:
                answer.raise_for_status()
                return
        answer = self._renewing.post(
            f"{self._base()}/apps/{self._app}", json=self._registration(), timeout=TIMEOUT
        )
        answer.raise_for_status()
        self.registered.set()
        log.info("registered with discovery as %s", self._environment.instance)

    def _registration(self) -> dict[str, Any]:
        environment, lease = self._environment, self._settings().instance
        url = f"http://{environment.bind}:{self.port}"
        return {
            "instance": {
                "instanceId": environment.instance,
                "hostName": environment.bind,
                "app": self._app,
                "ipAddr": environment.bind,
                "status": "UP",
                "overriddenstatus": "UNKNOWN",
                "port": {"$": self.port, "@enabled": "true"},
                "securePort": {"$": 443, "@enabled": "false"},
                "countryId": 1,
                "dataCenterInfo": {
                    "@class": "com.netflix.appinfo.InstanceInfo$DefaultDataCenterInfo",
                    "name": "MyOwn",
                },
                "leaseInfo": {
                    "renewalIntervalInSecs": lease.lease_renewal_interval_in_seconds,
                    "durationInSecs": lease.lease_expiration_duration_in_seconds,
                },
                "metadata": {"pid": str(os.getpid()), "instance": environment.instance},
                "homePageUrl": f"{url}/",
                "statusPageUrl": f"{url}/actuator/info",
                "healthCheckUrl": f"{url}/actuator/health",
                "vipAddress": environment.service,
                "secureVipAddress": environment.service,
            }
        }

    @property
    def _app(self) -> str:
        return self._environment.service.upper()

    def _base(self) -> str:
        return self._settings().client.service_url.default_zone.rstrip("/")

    def _url(self) -> str:
        return f"{self._base()}/apps/{self._app}/{self._environment.instance}"


def _instance(entry: dict[str, Any]) -> Instance:
    return Instance(
        id=entry.get("instanceId") or entry["hostName"],
        service=(entry.get("vipAddress") or entry["app"]).lower(),
        host=entry["ipAddr"],
        port=int(entry["port"]["$"]),
        since=int(entry.get("lastDirtyTimestamp") or 0),
    )

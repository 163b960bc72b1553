"""The client of discovery: this instance's lease, and a snapshot of everybody else's.

Two threads: one registers and renews, one fetches.  Readers only ever see `instances`, an
immutable snapshot, and go on with the last one while discovery is away.
"""

import json
import logging
import os
import threading
import time
from collections.abc import Callable
from types import MappingProxyType
from typing import Any

import requests

from chassis.config.settings import Eureka
from chassis.core.environment import Environment
from chassis.core.live import Live
from chassis.discovery.eureka_http import EurekaHttpClient
from chassis.discovery.instances import RegistrySnapshot, Snapshot, authority, merged
from chassis.identity.assertions import OwnIdentity

log = logging.getLogger(__name__)

# Within a failed attempt's pause a renewed discovery is found soon, and a dead one is not hammered.
RETRY_SECONDS = 0.5
# After a start the others are starting too, and the first call wants to find them.
SETTLING_SECONDS = 15.0
SETTLING_PAUSE = 0.2
# What is missing may stay missing: then calls are answered as well as can be.
PREPARING_SECONDS = 3.0
PREPARING_PAUSE = 0.05
# A discovery that was restarted knows nobody until all instances have registered again.
FORGETFUL_SECONDS = 5.0


class DiscoveryClient:
    """`instances` maps a service's name to its instances that are UP, once `fetched` is set.

    `on_appeared` is called with the name of a service when an instance of it has come or come back.
    `is_prepared` says whether this process has what it needs to answer calls.
    """

    def __init__(
        self,
        environment: Environment,
        settings: Live[Eureka],
        identity: OwnIdentity,
        on_appeared: Callable[[str], None] = lambda _service: None,
    ) -> None:
        self._environment = environment
        self._settings = settings
        self._on_appeared = on_appeared
        # A session is one thread's: the lease has its own.
        self._renewing = EurekaHttpClient(settings, identity)
        self._fetching = EurekaHttpClient(settings, identity)
        self._registry = RegistrySnapshot()
        self._is_complete = False
        self._delta = b""
        self._keep_until = 0.0
        self._published = (0, False)
        self.instances: Snapshot = MappingProxyType({})
        self.registered = threading.Event()
        self.fetched = threading.Event()
        self.is_prepared: Callable[[], bool] = lambda: True
        self.port = 0

    def keep_lease(self, stop: threading.Event) -> None:
        """Register, renew until `stop` is set, then leave."""
        self._prepare(stop)
        while not stop.is_set():
            try:
                self._renew()
                pause = float(self._settings.value.instance.lease_renewal_interval_in_seconds)
            except requests.RequestException as error:
                log.info("discovery does not answer, the lease is not renewed: %s", error)
                pause = RETRY_SECONDS
            stop.wait(pause)
        self.leave()

    def _prepare(self, stop: threading.Event) -> None:
        """Calls come as soon as an instance is registered."""
        deadline = time.monotonic() + PREPARING_SECONDS
        while not self.is_prepared() and time.monotonic() < deadline:
            if stop.wait(PREPARING_PAUSE):
                return

    def leave(self) -> None:
        """Out of the registry, so that nobody new calls; harmless when done twice."""
        if not self.registered.is_set():
            return
        self.registered.clear()
        try:
            if not self._is_succeeded():
                self._renewing.request("DELETE", self._path)
        except requests.RequestException as error:
            log.info("discovery does not answer, the lease will run out: %s", error)

    def _is_succeeded(self) -> bool:
        """Whether another process has this instance's name by now, which must not lose its lease.

        gunicorn's worker outlives a killed master for a moment, while its successor registers.
        """
        response = self._renewing.request("GET", self._path, headers={"Accept": "application/json"})
        if response.status_code != requests.codes.ok:
            return False
        own = self._metadata()["pid"]
        registered = response.json().get("instance", {}).get("metadata", {})
        return bool(registered.get("pid", own) != own)

    def keep_fetching(self, stop: threading.Event) -> None:
        settled = time.monotonic() + SETTLING_SECONDS
        while not stop.is_set():
            try:
                self.fetch()
            except (requests.RequestException, ValueError) as error:
                log.info("discovery does not answer, its last list is used: %s", error)
            pause = self._settings.value.client.registry_fetch_interval_seconds
            stop.wait(pause if time.monotonic() > settled else min(pause, SETTLING_PAUSE))

    def fetch(self) -> None:
        """Bring the snapshot up to date.  Raises what requests raises, or ValueError."""
        complete, self._is_complete = self._is_complete, False
        if not complete or not self._follow_delta():
            self._registry.replace(_parsed(self._get("/apps")))
        self._is_complete = True
        if not complete:
            self._keep_others()
        if self.registered.is_set() and not self._is_listed():
            self._keep_others()
            self._register(self._fetching)
            if not self.registered.is_set():  # the other thread has left meanwhile
                self._fetching.request("DELETE", self._path)
        self._publish()
        self.fetched.set()

    def _publish(self) -> None:
        """Make the snapshot anew, unless it is that of this list already."""
        keeps = time.monotonic() < self._keep_until
        if self._published == (self._registry.version, keeps):
            return
        self._published = (self._registry.version, keeps)
        before, listed = self.instances, self._registry.snapshot()
        self.instances = merged(listed, before) if keeps else listed
        for service, instances in self.instances.items():
            if not set(instances) <= set(before.get(service, ())):
                self._on_appeared(service)

    def _keep_others(self) -> None:
        """Discovery may have been started anew: those it does not list may only be late."""
        self._keep_until = time.monotonic() + FORGETFUL_SECONDS

    def _is_listed(self) -> bool:
        return self._registry.knows(self._app, self._environment.instance)

    def _follow_delta(self) -> bool:
        """Whether this copy is the server's now.  The same delta is not read twice."""
        delta = self._get("/apps/delta")
        if delta == self._delta:
            return True
        self._delta = b""
        if not self._registry.change(_parsed(delta)):
            return False
        self._delta = delta
        return True

    def _get(self, path: str) -> bytes:
        response = self._fetching.request("GET", path, headers={"Accept": "application/json"})
        response.raise_for_status()
        return response.content

    def _renew(self) -> None:
        if self.registered.is_set():
            response = self._renewing.request("PUT", self._path)
            if response.status_code != 404:
                response.raise_for_status()
                return
            self._keep_others()
        self._register(self._renewing)
        self.registered.set()

    def _register(self, client: EurekaHttpClient) -> None:
        response = client.request("POST", f"/apps/{self._app}", json=self._registration())
        response.raise_for_status()
        log.info("registered with discovery as %s", self._environment.instance)

    def _registration(self) -> dict[str, Any]:
        environment, lease = self._environment, self._settings.value.instance
        url = f"http://{authority(environment.address, self.port)}"
        return {
            "instance": {
                "instanceId": environment.instance,
                "hostName": environment.address,
                "app": self._app,
                "ipAddr": environment.address,
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
                "metadata": self._metadata(),
                "homePageUrl": f"{url}/",
                "statusPageUrl": f"{url}/actuator/info",
                "healthCheckUrl": f"{url}/actuator/health",
                "vipAddress": environment.service,
                "secureVipAddress": environment.service,
            }
        }

    def _metadata(self) -> dict[str, str]:
        environment = self._environment
        own = {
            "pid": str(os.getpid()),
            "instance": environment.instance,
            "version": environment.version,
        }
        return {**own, "canary": "true"} if environment.is_canary else own

    @property
    def _app(self) -> str:
        return self._environment.service.upper()

    @property
    def _path(self) -> str:
        return f"/apps/{self._app}/{self._environment.instance}"


def _parsed(document: bytes) -> Any:
    """Raises ValueError, also for what is nested too deeply."""
    try:
        return json.loads(document)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error

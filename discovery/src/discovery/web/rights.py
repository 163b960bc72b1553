"""Who may change which entries of the registry, and which addresses nobody may register."""

import asyncio
import logging
import re
import time
import unicodedata
from collections.abc import Callable

from chassis.core.errors import Forbidden
from chassis.identity.guests import GUEST
from discovery.registry import addresses
from discovery.registry.models import InstanceInfo

log = logging.getLogger(__name__)

URLS = ("homePageUrl", "statusPageUrl", "healthCheckUrl", "secureHealthCheckUrl")
VIPS = ("vipAddress", "secureVipAddress")
REPLICA = "discovery"
# The command line: it takes instances out of traffic, and registers none.
OPERATOR = "ops"
INSTANCE_NUMBER = re.compile(r"-[0-9]+$")
RESOLVE_SECONDS = 1.0
# While no resolver answers, nobody else is kept waiting for it.
SILENT_SECONDS = 10.0


class RegistryRights:
    """`services` are the names of the shop's own processes: each may be used by that one alone."""

    def __init__(self, services: Callable[[], frozenset[str]]) -> None:
        self._services = services
        self._silent_until = 0.0

    def check_change(self, principal: str, app: str) -> None:
        """Raises Forbidden when `principal` may not change instances of `app`."""
        if principal not in (OPERATOR, REPLICA):
            self._check_name(principal, app)

    async def check_registration(self, principal: str, instance: InstanceInfo, remote: str) -> None:
        """Raises Forbidden.  What a replica registers was checked where it came in."""
        if principal == REPLICA:
            return
        # Clients look instances up by any of these.
        vips = (vip for key in VIPS for vip in instance.texts.get(key, "").split(","))
        for name in (instance.app, *vips):
            if name.strip():
                self._check_name(principal, name)
        self._check_id(principal, instance.id)
        urls = (addresses.host_of(instance.texts.get(key, "")) for key in URLS)
        for host in {instance.host_name, instance.ip_addr, *urls} - {""}:
            await self._check_host(host, remote)

    def _check_name(self, principal: str, name: str) -> None:
        owner = self._owner(name)
        if principal != (owner or GUEST):
            raise Forbidden(f"{principal} may not register {name.strip()}.")

    def _check_id(self, principal: str, instance_id: str) -> None:
        """`order-service-1` is whom `make status` asks under that name."""
        owner = self._owner(INSTANCE_NUMBER.sub("", instance_id.strip()))
        if owner not in (None, principal):
            raise Forbidden(f"{instance_id} is the name of an instance of {owner}.")

    def _owner(self, name: str) -> str | None:
        """Whose name it is, however it is written: clients compare without regard to case."""
        known = unicodedata.normalize("NFKC", name).casefold().strip()
        return known if known in self._services() else None

    async def _check_host(self, host: str, remote: str) -> None:
        name = addresses.plain(host)
        if addresses.is_refused_name(name):
            raise Forbidden(f"{host} is not the address of a service.")
        literal = addresses.literal(name)
        for address in [literal] if literal else await self._resolved(name):
            if addresses.is_refused(address):
                raise Forbidden(f"{host} is not the address of a service.")
            if address.is_loopback and not addresses.is_local(remote):
                raise Forbidden(f"{host} is this machine's address, and not yours.")

    async def _resolved(self, name: str) -> list[addresses.Address]:
        """Where `name` leads to; nowhere when nobody knows it."""
        if time.monotonic() < self._silent_until:
            return []
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(RESOLVE_SECONDS):
                answers = await loop.getaddrinfo(name, None)
        except TimeoutError:
            self._silent_until = time.monotonic() + SILENT_SECONDS
            log.warning("no resolver answers: host names are registered without looking them up")
            return []
        except (OSError, UnicodeError):
            return []
        resolved = (addresses.literal(str(answer[4][0])) for answer in answers)
        return [address for address in resolved if address]

"""Client of the other replicas: copies their registry at the start, then sends them each change.

What Netflix calls PeerEurekaNodes: a replica replicates to all others in batches, and best effort.
"""

import asyncio
import logging
import os
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from http import HTTPStatus

import aiohttp

from chassis.core.backoff import Backoff
from chassis.core.internal_http import UNSAMPLED
from chassis.core.workers import EXIT_BROKEN
from discovery.eureka import deserialize
from discovery.registry.models import Key, Lease, RegistryClock
from discovery.registry.registry import Registry
from discovery.replication import peers, protocol
from discovery.replication.pending_changes import PendingChanges, ReplicationBatch
from discovery.replication.protocol import ReplicationAction

log = logging.getLogger(__name__)

ACCEPT_JSON = {"Accept": "application/json", **UNSAMPLED}
REPLICATION_HEADERS = {
    **ACCEPT_JSON,
    "Content-Type": "application/json",
    "x-netflix-discovery-replication": "true",
}
TIMEOUT = aiohttp.ClientTimeout(total=5, sock_connect=0.5)
# Changes within this time go out in one batch.
BATCH_DELAY_SECONDS = 0.1
BATCH_SIZE = 250
FIRST_BACKOFF, LONGEST_BACKOFF = 0.2, 5.0
PEER_CHECK_SECONDS = 1.0
SLICE = 100

# Nothing but these is expected of a network and of whoever is at its other end.
FAILURES = (
    aiohttp.ClientError,
    TimeoutError,
    deserialize.MalformedDocument,
    deserialize.IncompleteRegistration,
    ValueError,
)


@dataclass(frozen=True, slots=True)
class PeerSettings:
    """Where the replicas are, and how often one that starts asks them for their registry."""

    default_zone: str = ""
    retries: int = 5
    retry_seconds: float = 1.0


@dataclass(slots=True)
class Replica:
    """One of the others, as it answered last; `answered_at` is wall seconds."""

    address: str
    pending: PendingChanges
    wake_up: asyncio.Event = field(default_factory=asyncio.Event)
    reached: bool | None = None
    answered_at: float | None = None
    error: str = ""


class PeerNotReady(Exception):
    """The other replica is starting as well and has no registry to copy."""


class Replicas:
    """`synced` says that this replica knows what the others knew when it started.

    `identity` are the headers that show them who this is.
    """

    def __init__(
        self,
        registry: Registry,
        clock: RegistryClock,
        peer_settings: Callable[[], PeerSettings],
        bind: str,
        port: int,
        identity: Callable[[], Mapping[str, str]] = dict,
    ) -> None:
        self._identity = identity
        self._registry = registry
        self._clock = clock
        self._peer_settings = peer_settings
        self._bind, self._port = bind, port
        self._default_zone = ""
        self._replicas: dict[str, tuple[Replica, asyncio.Task[None]]] = {}
        self.synced = False

    def all(self) -> list[Replica]:
        return [replica for replica, _ in list(self._replicas.values())]

    def replicate(self, action: ReplicationAction, key: Key) -> None:
        for replica in self.all():
            replica.pending.add(action, key)
            replica.wake_up.set()

    def replicate_cancellation(self, lease: Lease) -> None:
        for replica in self.all():
            replica.pending.add_cancellation(lease)
            replica.wake_up.set()

    async def run(self) -> None:
        """Copy the registry of another replica, then follow the list of replicas for good."""
        async with aiohttp.ClientSession(timeout=TIMEOUT) as session:
            try:
                await self._sync_up(session)
                self.synced = True
                while True:
                    await self._update_replicas(session)
                    self._registry.sweep()
                    await asyncio.sleep(PEER_CHECK_SECONDS)
            finally:
                await self._disconnect(list(self._replicas))

    async def _others(self, default_zone: str) -> list[str]:
        addresses = peers.parse_addresses(default_zone)
        return await asyncio.to_thread(peers.other_replicas, addresses, self._bind, self._port)

    async def _update_replicas(self, session: aiohttp.ClientSession) -> None:
        default_zone = self._peer_settings().default_zone
        if default_zone == self._default_zone:
            return
        self._default_zone = default_zone
        others = await self._others(default_zone)
        await self._disconnect([address for address in self._replicas if address not in others])
        for address in others:
            if address not in self._replicas:
                replica = Replica(address, PendingChanges(self._registry, self._clock))
                sending = asyncio.create_task(self._replicate_forever(replica, session))
                sending.add_done_callback(exit_if_failed)
                self._replicas[address] = (replica, sending)

    async def _disconnect(self, addresses: Sequence[str]) -> None:
        tasks = [self._replicas.pop(address)[1] for address in addresses]
        for sending in tasks:
            sending.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _replicate_forever(self, replica: Replica, session: aiohttp.ClientSession) -> None:
        # Not all at the same moment, should many have waited for the same replica.
        backoff = Backoff(FIRST_BACKOFF, LONGEST_BACKOFF, jitter=0.2)
        while True:
            await replica.wake_up.wait()
            await asyncio.sleep(BATCH_DELAY_SECONDS)
            replica.wake_up.clear()
            if await self._send_pending(replica, session):
                backoff.reset()
            else:
                await asyncio.sleep(backoff.next())
                replica.wake_up.set()

    async def _send_pending(self, replica: Replica, session: aiohttp.ClientSession) -> bool:
        """Whether the replica accepted it; what it did not accept stays pending."""
        for _ in range(len(replica.pending) // BATCH_SIZE + 1):
            batch = replica.pending.take(BATCH_SIZE)
            try:
                await self._send(replica, batch, session)
            except FAILURES as error:
                if replica.reached is not False:
                    log.warning("the replica %s does not answer: %r", replica.address, error)
                replica.reached, replica.error = False, repr(error)
                replica.pending.put_back(batch)
                return False
            if replica.reached is False:
                log.info("the replica %s answers again", replica.address)
            replica.reached, replica.answered_at, replica.error = True, time.time(), ""
        if len(replica.pending):
            replica.wake_up.set()
        return True

    async def _send(
        self, replica: Replica, batch: ReplicationBatch, session: aiohttp.ClientSession
    ) -> None:
        if not batch.documents:
            return
        url = f"{replica.address}peerreplication/batch/"
        headers = {**REPLICATION_HEADERS, **self._identity()}
        async with session.post(url, data=batch.body, headers=headers) as answer:
            if answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
                answer.raise_for_status()
            if answer.status != HTTPStatus.OK:
                log.error("the replica %s refuses a batch: %d", replica.address, answer.status)
                replica.pending.discard(batch)
                return
            document = deserialize.load_json(await answer.read())
        answers = deserialize.items(document.get("responseList"))
        if len(answers) != len(batch.documents):
            raise deserialize.MalformedDocument("not as many answers as changes")
        replica.pending.apply_answers(batch, answers)

    async def _sync_up(self, session: aiohttp.ClientSession) -> None:
        """Copy the registry of the first replica that answers; go on without after the retries."""
        peer_settings = self._peer_settings()
        others = await self._others(peer_settings.default_zone)
        for _ in range(peer_settings.retries):
            failed = []
            for address in others:
                try:
                    await self._copy_registry(address, session)
                    return
                except (aiohttp.ClientConnectorError, PeerNotReady) as error:
                    # It does not run, or starts with us: waiting would bring nothing.
                    log.info("no registry to copy from %s: %r", address, error)
                except FAILURES as error:
                    log.warning("the registry of %s cannot be copied: %r", address, error)
                    failed.append(address)
            if not failed:
                return
            await asyncio.sleep(peer_settings.retry_seconds)

    async def _copy_registry(self, address: str, session: aiohttp.ClientSession) -> None:
        async with session.get(f"{address}apps", headers=ACCEPT_JSON) as answer:
            if answer.status == HTTPStatus.SERVICE_UNAVAILABLE:
                raise PeerNotReady
            answer.raise_for_status()
            body = await answer.read()
        document = await asyncio.to_thread(deserialize.load_json, body)
        instances = protocol.listed_instances(document)
        for number, info in enumerate(instances, 1):
            protocol.register_copy(self._registry, info)
            if number % SLICE == 0:
                await asyncio.sleep(0)
        log.info("copied %d instances from %s", len(instances), address)


def exit_if_failed(task: asyncio.Task[None]) -> None:
    """A task that dies takes the process with it, so that the supervisor starts a new one."""
    if not task.cancelled() and task.exception() is not None:
        log.critical("a task has died: ending the process", exc_info=task.exception())
        os._exit(EXIT_BROKEN)


async def cancel_and_wait(task: asyncio.Task[None]) -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task

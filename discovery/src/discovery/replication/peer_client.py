"""The other replicas: filled from at the start, told of every change for as long as we run."""

import asyncio
import logging
import os
import random
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from http import HTTPStatus

import aiohttp

from chassis.core.workers import EXIT_BROKEN
from discovery.eureka import deserialize
from discovery.registry.models import Clock, Key, Lease
from discovery.registry.registry import Registry
from discovery.replication import peers, protocol
from discovery.replication.pending_changes import Batch, Outbox
from discovery.replication.protocol import Action

log = logging.getLogger(__name__)

JSON = {"Accept": "application/json"}
TELL = {**JSON, "Content-Type": "application/json", "x-netflix-discovery-replication": "true"}
TIMEOUT = aiohttp.ClientTimeout(total=5, sock_connect=0.5)
# What comes together within this time is told together.
GATHER_SECONDS = 0.1
BATCH = 250
FIRST_PAUSE, LONGEST_PAUSE = 0.2, 5.0
WATCH_SECONDS = 1.0
SLICE = 100

# Nothing but these is expected of a network and of whoever is at its other end.
FAILURES = (
    aiohttp.ClientError,
    TimeoutError,
    deserialize.Unreadable,
    deserialize.Incomplete,
    ValueError,
)


@dataclass(frozen=True, slots=True)
class Neighbourhood:
    """Where the replicas are, and how patiently one that starts asks them for what they have."""

    default_zone: str = ""
    retries: int = 5
    retry_seconds: float = 1.0


@dataclass(slots=True)
class Replica:
    """One of the others, as it answered last; `heard_at` is wall seconds."""

    address: str
    outbox: Outbox
    news: asyncio.Event = field(default_factory=asyncio.Event)
    reached: bool | None = None
    heard_at: float | None = None
    error: str = ""


class NotReady(Exception):
    """The other replica starts as well and has nothing to give."""


class Replicas:
    """`filled` says that this replica knows what the others knew when it started."""

    def __init__(
        self,
        registry: Registry,
        clock: Clock,
        neighbourhood: Callable[[], Neighbourhood],
        bind: str,
        port: int,
    ) -> None:
        self._registry = registry
        self._clock = clock
        self._neighbourhood = neighbourhood
        self._bind, self._port = bind, port
        self._named = ""
        self._known: dict[str, tuple[Replica, asyncio.Task[None]]] = {}
        self.filled = False

    def all(self) -> list[Replica]:
        return [replica for replica, _ in list(self._known.values())]

    def tell(self, action: Action, key: Key) -> None:
        for replica in self.all():
            replica.outbox.note(action, key)
            replica.news.set()

    def tell_cancelled(self, lease: Lease) -> None:
        for replica in self.all():
            replica.outbox.cancelled(lease)
            replica.news.set()

    async def run(self) -> None:
        """Fill, then watch who is named, until cancelled."""
        async with aiohttp.ClientSession(timeout=TIMEOUT) as session:
            try:
                await self._fill(session)
                self.filled = True
                while True:
                    await self._meet(session)
                    self._registry.sweep()
                    await asyncio.sleep(WATCH_SECONDS)
            finally:
                await self._part(list(self._known))

    async def _others(self, default_zone: str) -> list[str]:
        found = peers.named(default_zone)
        return await asyncio.to_thread(peers.others, found, self._bind, self._port)

    async def _meet(self, session: aiohttp.ClientSession) -> None:
        default_zone = self._neighbourhood().default_zone
        if default_zone == self._named:
            return
        self._named = default_zone
        others = await self._others(default_zone)
        await self._part([each for each in self._known if each not in others])
        for address in others:
            if address not in self._known:
                replica = Replica(address, Outbox(self._registry, self._clock))
                telling = asyncio.create_task(self._keep_telling(replica, session))
                telling.add_done_callback(end_if_broken)
                self._known[address] = (replica, telling)

    async def _part(self, addresses: Sequence[str]) -> None:
        leaving = [self._known.pop(address)[1] for address in addresses]
        for telling in leaving:
            telling.cancel()
        await asyncio.gather(*leaving, return_exceptions=True)

    async def _keep_telling(self, replica: Replica, session: aiohttp.ClientSession) -> None:
        pause = FIRST_PAUSE
        while True:
            await replica.news.wait()
            await asyncio.sleep(GATHER_SECONDS)
            replica.news.clear()
            if await self._tell_all(replica, session):
                pause = FIRST_PAUSE
            else:
                # Not all at the same moment, should many have waited for the same replica.
                await asyncio.sleep(pause * random.uniform(0.8, 1.2))
                pause = min(2 * pause, LONGEST_PAUSE)
                replica.news.set()

    async def _tell_all(self, replica: Replica, session: aiohttp.ClientSession) -> bool:
        """Whether the replica took it; what it did not take waits for the next time."""
        for _ in range(len(replica.outbox) // BATCH + 1):
            batch = replica.outbox.take(BATCH)
            try:
                await self._tell(replica, batch, session)
            except FAILURES as error:
                if replica.reached is not False:
                    log.warning("the replica %s does not answer: %r", replica.address, error)
                replica.reached, replica.error = False, repr(error)
                replica.outbox.put_back(batch)
                return False
            if replica.reached is False:
                log.info("the replica %s answers again", replica.address)
            replica.reached, replica.heard_at, replica.error = True, time.time(), ""
        if len(replica.outbox):
            replica.news.set()
        return True

    async def _tell(self, replica: Replica, batch: Batch, session: aiohttp.ClientSession) -> None:
        if not batch.documents:
            return
        url = f"{replica.address}peerreplication/batch/"
        async with session.post(url, data=batch.body, headers=TELL) as answer:
            if answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
                answer.raise_for_status()
            if answer.status != HTTPStatus.OK:
                log.error("the replica %s refuses a batch: %d", replica.address, answer.status)
                replica.outbox.refused(batch)
                return
            given = deserialize.load_json(await answer.read())
        answers = given.get("responseList")
        if not isinstance(answers, list) or len(answers) != len(batch.documents):
            raise deserialize.Unreadable("not as many answers as were asked for")
        replica.outbox.answered(batch, answers)

    async def _fill(self, session: aiohttp.ClientSession) -> None:
        """Take over what the first replica that answers lists; in bounded time go on without."""
        neighbourhood = self._neighbourhood()
        others = await self._others(neighbourhood.default_zone)
        for _ in range(neighbourhood.retries):
            unclear = []
            for address in others:
                try:
                    await self._fill_from(address, session)
                    return
                except (aiohttp.ClientConnectorError, NotReady) as error:
                    # It does not run, or starts with us: waiting would bring nothing.
                    log.info("nothing to take over from %s: %r", address, error)
                except FAILURES as error:
                    log.warning("%s did not say what it knows: %r", address, error)
                    unclear.append(address)
            if not unclear:
                return
            await asyncio.sleep(neighbourhood.retry_seconds)

    async def _fill_from(self, address: str, session: aiohttp.ClientSession) -> None:
        async with session.get(f"{address}apps", headers=JSON) as answer:
            if answer.status == HTTPStatus.SERVICE_UNAVAILABLE:
                raise NotReady
            answer.raise_for_status()
            body = await answer.read()
        found = await asyncio.to_thread(deserialize.load_json, body)
        listed = protocol.listed_instances(found)
        for number, info in enumerate(listed, 1):
            protocol.take_over(self._registry, info)
            if number % SLICE == 0:
                await asyncio.sleep(0)
        log.info("took over %d instances from %s", len(listed), address)


def end_if_broken(task: asyncio.Task[None]) -> None:
    """A task that dies takes the process with it, so that the supervisor starts a whole one."""
    if not task.cancelled() and task.exception() is not None:
        log.critical("a task has died: ending the process", exc_info=task.exception())
        os._exit(EXIT_BROKEN)


async def ended(task: asyncio.Task[None]) -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task

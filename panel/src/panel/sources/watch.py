"""One set of polls, however many look on: often while somebody does, seldom while nobody does.

Every poll is a task of its own with its own time limit: a part that stands still holds up nobody
who asks another.
"""

from __future__ import annotations

import asyncio
import logging
import os
import time
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from contextlib import suppress
from typing import Any

from chassis.discovery.instances import Snapshot
from fusebox.core.stack import Stack
from panel.model.facts import Facts, InstanceFacts, InstanceLook
from panel.model.history import History
from panel.model.windows import CallCounts, CallWindow
from panel.settings import PanelSection
from panel.sources import shop
from panel.sources.actuators import ActuatorReader, Credentials, Silent
from panel.sources.blocking_source import BlockingSource
from panel.sources.databases import OutboxReader
from panel.sources.instances import InstanceWatch, Rhythm
from panel.sources.invariants import InvariantCheck
from panel.sources.probes import ConnectionProbe, ask_kafka, ask_postgres
from panel.sources.processes import ProcessReader
from panel.sources.registry import registrations
from panel.sources.topics import TopicNews, TopicReader

log = logging.getLogger(__name__)

# Who asks for the state is taken to look on for so long.
INTEREST_SECONDS = 15.0
INFRASTRUCTURE_SECONDS = 0.8
PROCESSES_SECONDS = 3.0
BUSY_SECONDS = 10.0
CHECK_SECONDS = 1.0
BLOCKED_SECONDS = 1.0
# The shop does without it.
ZIPKIN_PAUSE_SECONDS, ZIPKIN_SECONDS = 2.0, 0.6
KAFKA, POSTGRES, ZIPKIN = "kafka-1", "postgres-1", "zipkin-1"


class ShopWatch:
    """Keeps `facts` up to date and calls `on_change` with news.  Lives on the event loop."""

    def __init__(
        self,
        stack: Stack,
        settings: Callable[[], PanelSection],
        credentials: Credentials,
        instances: Callable[[], Snapshot],
        on_change: Callable[[], None],
    ) -> None:
        self.facts = Facts(shop.parts(stack), shop.topics(), shop.page_url(stack, "zipkin"))
        self.history = History()
        self.viewers = 0
        self._stack = stack
        self._settings = settings
        self._credentials = credentials
        self._instances = instances
        self._on_change = on_change
        self._interest_until = 0.0
        self._busy_until = 0.0
        self._events_until = 0.0
        self._woken = asyncio.Event()
        self._watches: dict[str, tuple[InstanceWatch, asyncio.Task[None]]] = {}
        self._processes = BlockingSource("processes", ProcessReader(stack).read)
        self._outboxes = OutboxReader(stack)
        self._outbox_source = BlockingSource("outboxes", self._outboxes.read)
        self._kafka = ConnectionProbe(*stack.address("kafka"), ask_kafka)
        address = (
            "127.0.0.1" if stack.mode == "native" else "postgres",
            stack.address("postgres")[1],
        )
        self._postgres = ConnectionProbe(*address, ask_postgres, keeps=False)
        self._invariants = InvariantCheck(os.environ, self._version)
        self._rhythm = Rhythm(
            lambda: self.is_watched,
            lambda: time.monotonic() < self._busy_until,
            lambda: settings().idle_poll_seconds,
            self._see_calls,
            self._woken.set,
        )

    def show_interest(self) -> None:
        """Somebody looks on: everything is looked at now, if it was not already."""
        was_watched = self.is_watched
        self._interest_until = time.monotonic() + INTEREST_SECONDS
        if not was_watched:
            self.hasten()

    def _see_calls(self) -> None:
        self._busy_until = time.monotonic() + BUSY_SECONDS

    def hasten(self) -> None:
        self._woken.set()
        for watch, _ in self._watches.values():
            watch.hasten()

    @property
    def is_watched(self) -> bool:
        return self.viewers > 0 or time.monotonic() < self._interest_until

    async def run(self) -> None:
        actuators = ActuatorReader(self._credentials)
        loop = asyncio.get_running_loop()
        topics = TopicReader(
            self._stack.address("kafka"),
            lambda news: _from_thread(loop, self._take_news, news),
            "panel",
        )
        loops: list[Coroutine[Any, Any, None]] = [
            self._repeat(lambda: self._look_at_registry(actuators), self._poll_seconds),
            self._repeat(self._look_at_processes, lambda: PROCESSES_SECONDS),
            self._watched(lambda: self._probe(KAFKA, self._kafka.check)),
            self._watched(lambda: self._probe(POSTGRES, self._postgres.check)),
            self._watched(self._look_at_outboxes),
            self._watched(
                lambda: self._probe(ZIPKIN, lambda: self._look_at_zipkin(actuators)),
                ZIPKIN_PAUSE_SECONDS,
            ),
            self._watched(self._check_invariants, CHECK_SECONDS),
            self._follow_topics(topics),
        ]
        try:
            async with asyncio.TaskGroup() as group:
                for coroutine in loops:
                    group.create_task(coroutine)
        finally:
            topics.stop()
            for _, task in self._watches.values():
                task.cancel()
            self._kafka.close()
            self._postgres.close()
            await actuators.close()

    def _poll_seconds(self) -> float:
        return self._settings().poll_seconds

    async def _repeat(
        self, look: Callable[[], Awaitable[None]], seconds: Callable[[], float]
    ) -> None:
        """Seldom while nobody looks on; at once when somebody begins to."""
        while True:
            await _survived(look)
            pause = seconds() if self.is_watched else self._settings().idle_poll_seconds
            self._woken.clear()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._woken.wait(), pause)

    async def _watched(
        self, look: Callable[[], Awaitable[None]], seconds: float = INFRASTRUCTURE_SECONDS
    ) -> None:
        while True:
            if self.is_watched:
                await _survived(look)
            await asyncio.sleep(seconds)

    async def _follow_topics(self, topics: TopicReader) -> None:
        while True:
            if self.is_watched:
                topics.start()
            else:
                topics.stop()
                self._outboxes.close()
            await asyncio.sleep(CHECK_SECONDS)

    async def _look_at_registry(self, actuators: ActuatorReader) -> None:
        """Every process keeps a copy of the registry anyway: this one looks at its own."""
        registry = registrations(self._instances())
        if registry != self.facts.registry:
            self.facts.registry = registry
            self._on_change()
        discovery = self.facts.of("discovery-1").look
        if registry and discovery is not None and not discovery.error:
            self.facts.registry_at = discovery.at
        self.facts.of("panel-1").look = InstanceLook(time.time())
        self._follow_instances(actuators)
        self.facts.forget_strangers()

    def _follow_instances(self, actuators: ActuatorReader) -> None:
        """A task for each address; one that has moved is watched anew."""
        urls = shop.trusted_urls(self.facts.registry) | shop.fixed_urls(self._stack)
        for name, (watch, task) in list(self._watches.items()):
            if urls.get(name) != watch.url:
                task.cancel()
                del self._watches[name]
                self.facts.instances[name] = InstanceFacts(
                    look=InstanceLook(time.time(), "is not registered with discovery")
                )
        for name, url in urls.items():
            if name not in self._watches:
                watch = InstanceWatch(
                    name,
                    url,
                    self.facts,
                    actuators,
                    self._rhythm,
                    self._on_change,
                    self._configuration_changed,
                )
                self._watches[name] = watch, asyncio.create_task(watch.run())

    def _configuration_changed(self, at: str, service: str, keys: Sequence[str]) -> None:
        self.history.configuration_changed(at, service, keys)

    async def _look_at_processes(self) -> None:
        if self._stack.mode != "native":
            return
        try:
            read = await self._processes.read(BLOCKED_SECONDS)
        except (OSError, TimeoutError):
            return
        if (read.instances, read.throttles) != (self.facts.processes, self.facts.throttles):
            self.facts.processes, self.facts.throttles = read.instances, read.throttles
            self._on_change()

    async def _probe(self, instance: str, check: Callable[[], Awaitable[None]]) -> None:
        try:
            await check()
            error = ""
        except Silent as silent:
            error = str(silent)
        known = self.facts.of(instance)
        if known.look is None or known.look.error != error:
            self._on_change()
        known.look = InstanceLook(time.time(), error)

    def _may_have_rows(self) -> bool:
        """At rest `verify` has said that there are none; its client takes much memory."""
        looks = [known.look for known in self.facts.instances.values()]
        is_calm = all(look is None or not look.error for look in looks)
        rows = any(rows for rows, _ in self.facts.outboxes.values())
        are_events = time.monotonic() < self._events_until or any(self.facts.lags.values())
        return rows or not is_calm or are_events

    async def _look_at_outboxes(self) -> None:
        """Whether PostgreSQL answers is asked elsewhere."""
        if not self._may_have_rows():
            return
        try:
            service, outbox = await self._outbox_source.read(BLOCKED_SECONDS)
        except Exception as error:  # noqa: BLE001  (psycopg's are unknown before it is used)
            log.debug("the outboxes cannot be read: %s", error)
            return
        if outbox.rows != self.facts.outboxes.get(service, (0, 0.0))[0]:
            self._on_change()
        self.facts.outboxes[service] = outbox.rows, outbox.age

    async def _look_at_zipkin(self, actuators: ActuatorReader) -> None:
        await actuators.json("zipkin", f"{self._stack.url('zipkin')}/health", ZIPKIN_SECONDS)

    def _take_news(self, news: TopicNews) -> None:
        facts = self.facts
        for topic, end in news.ends.items():
            facts.published.setdefault(topic, CallWindow()).add(news.at, CallCounts(end))
        for record in news.records:
            facts.orders.take(record)
        decided = facts.orders.commit(news.committed, None if news.is_past else news.at)
        if news.records and not news.is_past:
            self._events_until = time.monotonic() + BUSY_SECONDS
            self._see_calls()
        is_new = bool(news.records) or decided or facts.dead != news.dead or facts.lags != news.lags
        facts.dead, facts.lags = dict(news.dead), dict(news.lags)
        if is_new:
            self._on_change()

    def _version(self) -> object:
        """Changes with what moves in the stores."""
        orders = [(one.order_id, one.status) for one in self.facts.orders.entries.values()]
        rows = {name: rows for name, (rows, _) in self.facts.outboxes.items()}
        return dict(self.facts.dead), rows, orders

    async def _check_invariants(self) -> None:
        look = self.facts.of(POSTGRES).look
        if look is None or look.error or not self._invariants.is_due():
            return
        checked = await self._invariants.check()
        if checked is not None:
            self.facts.invariants = checked.findings
            for service, rows in checked.outboxes.items():
                self.facts.outboxes.setdefault(service, (rows, 0.0))
            self._on_change()


async def _survived(look: Callable[[], Awaitable[None]]) -> None:
    """What one source answers must not end the others' polls, nor its own."""
    try:
        await look()
    except Exception:
        log.exception("a poll has failed")


def _from_thread(
    loop: asyncio.AbstractEventLoop, take: Callable[[TopicNews], None], news: TopicNews
) -> None:
    with suppress(RuntimeError):  # the loop is closed: the process ends
        loop.call_soon_threadsafe(take, news)

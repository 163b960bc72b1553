"""`Prefer: wait` (RFC 7240): holds an answer until its order is decided, wherever that happens.

The consumer of this process hands over what it has decided, and an answer needs no database.  For
what other instances decide, one thread asks it on behalf of all requests that wait, once a tick.
"""

import logging
import queue
import threading
from collections.abc import Iterable, Mapping
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session, sessionmaker

from chassis.data.outages import OUTAGES
from order_service.statements import Move

log = logging.getLogger(__name__)

TICK_SECONDS = 0.05
IDLE_SECONDS = 0.5
DECIDED = text("""
    SELECT order_id FROM orders
    WHERE order_id = ANY(CAST(:order_ids AS uuid[])) AND status <> 'PENDING'
""")


class WaitOutcome(NamedTuple):
    """Whether the order is decided, and where it was moved to if that is known here."""

    is_decided: bool
    move: Move | None = None


UNDECIDED = WaitOutcome(False)


class LongPoll:
    """At most `slots` requests wait at once: each holds a thread, and others are to be served."""

    def __init__(self, sessions: sessionmaker[Session], slots: int) -> None:
        self._sessions = sessions
        self._slots = threading.BoundedSemaphore(slots)
        # Each request is woken by itself: of fifty that wait a decision concerns one.
        self._waiting: dict[UUID, list[queue.SimpleQueue[Move | None]]] = {}
        self._lock = threading.Lock()
        self._begun = threading.Event()

    def decided(self, order_ids: Iterable[UUID], moves: Mapping[UUID, Move] | None = None) -> None:
        """These orders are decided, and whoever waits for one of them waits no longer.

        `moves` are those that this process has made just now.
        """
        known = moves or {}
        with self._lock:
            woken = [
                (request, known.get(order_id))
                for order_id in order_ids
                for request in self._waiting.pop(order_id, ())
            ]
        for request, move in woken:
            request.put(move)

    def wait_for_decision(self, order_id: UUID, seconds: float) -> WaitOutcome:
        """What has come of the order within `seconds`."""
        if seconds <= 0 or not self._slots.acquire(blocking=False):
            return UNDECIDED
        try:
            return self._wait(order_id, seconds)
        finally:
            self._slots.release()

    def _wait(self, order_id: UUID, seconds: float) -> WaitOutcome:
        woken: queue.SimpleQueue[Move | None] = queue.SimpleQueue()
        with self._lock:
            self._waiting.setdefault(order_id, []).append(woken)
        self._begun.set()
        try:
            return WaitOutcome(True, woken.get(timeout=seconds))
        except queue.Empty:
            return self._outcome_after_all(order_id, woken)

    def _outcome_after_all(
        self, order_id: UUID, woken: queue.SimpleQueue[Move | None]
    ) -> WaitOutcome:
        with self._lock:
            waiting = self._waiting.get(order_id, [])
            if woken not in waiting:
                return WaitOutcome(True)
            waiting.remove(woken)
            if not waiting:
                del self._waiting[order_id]
            return UNDECIDED

    def run(self, stop: threading.Event) -> None:
        while not stop.is_set():
            self._begun.wait(IDLE_SECONDS)
            self._begun.clear()
            while self._waiting and not stop.wait(TICK_SECONDS):
                self._ask_database()

    def _ask_database(self) -> None:
        with self._lock:
            awaited = list(self._waiting)
        if not awaited:
            return
        try:
            with self._sessions() as session:
                decided = list(session.scalars(DECIDED, {"order_ids": awaited}))
        except OUTAGES as error:
            log.warning("decisions cannot be looked up: %s", type(error).__name__)
            return
        self.decided(decided)

"""`Prefer: wait` (RFC 7240): holds an answer until its order is decided, wherever that happens.

The consumer of this process hands over what it has decided.  For what other instances decide, one
thread asks the database on behalf of all requests that wait, once a tick.
"""

import logging
import threading
from collections import Counter
from collections.abc import Collection
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session, sessionmaker

from chassis.data.outages import OUTAGES

log = logging.getLogger(__name__)

TICK_SECONDS = 0.05
IDLE_SECONDS = 0.5
DECIDED = text("""
    SELECT order_id FROM orders
    WHERE order_id = ANY(CAST(:order_ids AS uuid[])) AND status <> 'PENDING'
""")


class LongPoll:
    """At most `slots` requests wait at once: each holds a thread, and others are to be served."""

    def __init__(self, sessions: sessionmaker[Session], slots: int) -> None:
        self._sessions = sessions
        self._slots = threading.BoundedSemaphore(slots)
        self._waiting: Counter[UUID] = Counter()
        self._changed = threading.Condition()
        self._begun = threading.Event()

    def decided(self, order_ids: Collection[UUID]) -> None:
        """These orders are decided, and whoever waits for one of them waits no longer."""
        with self._changed:
            awaited = [order_id for order_id in order_ids if self._waiting.pop(order_id, 0)]
            if awaited:
                self._changed.notify_all()

    def wait_for_decision(self, order_id: UUID, seconds: float) -> bool:
        """Whether the order was decided within `seconds`."""
        if not self._slots.acquire(blocking=False):
            return False
        try:
            with self._changed:
                self._waiting[order_id] += 1
                self._begun.set()
                decided = self._changed.wait_for(
                    lambda: order_id not in self._waiting, timeout=seconds
                )
                if not decided:
                    self._waiting -= Counter([order_id])
                return decided
        finally:
            self._slots.release()

    def run(self, stop: threading.Event) -> None:
        while not stop.is_set():
            self._begun.wait(IDLE_SECONDS)
            self._begun.clear()
            while self._waiting and not stop.wait(TICK_SECONDS):
                self._ask_database()

    def _ask_database(self) -> None:
        with self._changed:
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

"""`Prefer: wait`: holds an answer until its order is decided, by whichever instance that happens.

One thread asks the database for all that wait, once a tick; a decision made here wakes it at once.
"""

import logging
import threading
from collections import Counter
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from chassis.data.postgres import OUTAGES
from order_service.models import Order, OrderStatus

log = logging.getLogger(__name__)

TICK_SECONDS = 0.05
IDLE_SECONDS = 0.5


class Waiting:
    """At most `places` requests wait at once: each holds a thread, and others are to be served."""

    def __init__(self, sessions: sessionmaker[Session], places: int) -> None:
        self._sessions = sessions
        self._places = threading.BoundedSemaphore(places)
        self._waiting: Counter[UUID] = Counter()
        self._changed = threading.Condition()
        self._bell = threading.Event()

    def ring(self) -> None:
        """Some order may have been decided: look at once."""
        self._bell.set()

    def until_decided(self, order_id: UUID, seconds: float) -> bool:
        """Whether the order was decided within `seconds`."""
        if not self._places.acquire(blocking=False):
            return False
        try:
            with self._changed:
                self._waiting[order_id] += 1
                self._bell.set()
                decided = self._changed.wait_for(
                    lambda: order_id not in self._waiting, timeout=seconds
                )
                if not decided:
                    self._waiting -= Counter([order_id])
                return decided
        finally:
            self._places.release()

    def run(self, stop: threading.Event) -> None:
        while not stop.is_set():
            if self._waiting:
                self._look()
            self._bell.wait(TICK_SECONDS if self._waiting else IDLE_SECONDS)
            self._bell.clear()

    def _look(self) -> None:
        with self._changed:
            wanted = list(self._waiting)
        query = select(Order.order_id).where(
            Order.order_id.in_(wanted), Order.status != OrderStatus.PENDING
        )
        try:
            with self._sessions() as session:
                decided = list(session.scalars(query))
        except OUTAGES as error:
            log.warning("decisions cannot be looked up: %s", type(error).__name__)
            return
        if decided:
            with self._changed:
                for order_id in decided:
                    self._waiting.pop(order_id, None)
                self._changed.notify_all()

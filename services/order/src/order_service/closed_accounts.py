"""What becomes of the orders of a user who has left.

What is undecided is cancelled, the rest is detached from the person, in batches that hinder nobody.
Twice for each account: an order that was being placed as the account was closed is committed by the
time of the second pass.
"""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session, sessionmaker

from chassis.core.errors import first_line
from chassis.data.outages import OUTAGES
from order_service import statements
from order_service.messaging import order_cancelled
from order_service.models import NOBODY, Order, OrderStatus, orders, outbox
from order_service.statements import Move

log = logging.getLogger(__name__)

LEAST_PAUSE = 0.1
LOOK_SECONDS = 1.0
PAUSE_SECONDS = 10.0
# Whatever is begun before an account is closed has ended so long after it.
SECOND_PASS_SECONDS = 60
ACCOUNTS = 100
BATCH = 500

UNSETTLED = text("""
    SELECT user_id FROM closed_accounts
    WHERE passes < 2 AND (passes = 0 OR closed_at < now() - make_interval(secs => :second_pass))
    ORDER BY closed_at LIMIT :limit
""")

# Instances share the work: an account that another one has in hand is left to it.
TAKE = text("""
    SELECT user_id FROM closed_accounts WHERE user_id = :user_id AND passes < 2
    FOR UPDATE SKIP LOCKED
""")

LOCK_ORDERS_OF = text("""
    SELECT * FROM orders WHERE user_id = :user_id ORDER BY order_id LIMIT :limit FOR UPDATE
""").columns(*orders.c)

DETACH = text("""
    UPDATE orders SET user_id = :nobody WHERE order_id = ANY(CAST(:order_ids AS uuid[]))
""")

FORGET_KEYS = text("DELETE FROM idempotency_keys WHERE user_id = :user_id")

# The first pass may be so late that it is as good as the second.
PASSED = text("""
    UPDATE closed_accounts
    SET passes = CASE
        WHEN closed_at < now() - make_interval(secs => :second_pass) THEN 2 ELSE passes + 1
    END
    WHERE user_id = :user_id
""")


class ClosedAccounts:
    """`run` is for Workers, `notify` wakes it; `decided` is told which orders it has cancelled."""

    def __init__(
        self,
        sessions: sessionmaker[Session],
        decided: Callable[[set[UUID]], None],
        second_pass_seconds: float = SECOND_PASS_SECONDS,
    ) -> None:
        self._sessions = sessions
        self._decided = decided
        self._second_pass = {"second_pass": second_pass_seconds}
        self._closed = threading.Event()

    def notify(self) -> None:
        """An account has been closed."""
        self._closed.set()

    def run(self, stop: threading.Event) -> None:
        while not stop.is_set():
            self._closed.clear()
            try:
                self.settle_all(stop)
            except OUTAGES as error:
                log.warning("the orders of closed accounts wait: %s", first_line(error))
            self._pause(stop)

    def settle_all(self, stop: threading.Event) -> None:
        """Look through the orders of the accounts of which it is time, the longest closed first."""
        with self._sessions() as session:
            user_ids = session.scalars(UNSETTLED, {"limit": ACCOUNTS, **self._second_pass}).all()
        for user_id in user_ids:
            while not stop.is_set() and self._settle_batch(user_id):
                pass
        if len(user_ids) == ACCOUNTS:
            self.notify()

    def _settle_batch(self, user_id: UUID) -> bool:
        """Cancel or detach some orders; whether there may be more."""
        with self._sessions.begin() as session:
            if session.scalar(TAKE, {"user_id": user_id}) is None:
                return False
            rows = session.execute(LOCK_ORDERS_OF, {"user_id": user_id, "limit": BATCH})
            batch = [Order(*row) for row in rows]
            undecided = [order for order in batch if order.status == OrderStatus.PENDING]
            _cancel(session, undecided)
            session.execute(
                DETACH, {"nobody": NOBODY, "order_ids": [order.order_id for order in batch]}
            )
            if len(batch) < BATCH:
                session.execute(FORGET_KEYS, {"user_id": user_id})
                session.execute(PASSED, {"user_id": user_id, **self._second_pass})
        if undecided:
            self._decided({order.order_id for order in undecided})
        if batch:
            line = "%d orders of a closed account detached, %d of them cancelled"
            log.info(line, len(batch), len(undecided))
        return len(batch) == BATCH

    def _pause(self, stop: threading.Event) -> None:
        """Until an account is closed, here; of those that others have read it is soon enough."""
        end = time.monotonic() + PAUSE_SECONDS
        # Another instance may have one in hand: not at full speed.
        stop.wait(LEAST_PAUSE)
        while not (stop.is_set() or time.monotonic() > end or self._closed.wait(LOOK_SECONDS)):
            pass


def _cancel(session: Session, undecided: Sequence[Order]) -> None:
    """As a cancel by the user: catalog-service gives back what it has taken, or takes nothing."""
    moves = [Move(order.order_id, OrderStatus.CANCELLED) for order in undecided]
    statements.move_orders(session, moves)
    outbox.record(session, [order_cancelled(order) for order in undecided])

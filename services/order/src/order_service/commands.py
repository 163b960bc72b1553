"""What changes orders, and how many such commands are executed in one transaction.

Each command keeps its own trace and its own fate: one that is refused hurts no other.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from sqlalchemy.orm import Session, sessionmaker

from chassis.chaos import kill_points
from chassis.core.errors import NotFound, NotTheirs
from chassis.data.group_commit import outcome_of
from chassis.messaging.outbox import Message
from chassis.observability import tracing
from chassis.observability.logging import Entry, log_together
from chassis.observability.tracing import TraceContext
from chassis.resilience import deadline
from chassis.resilience.deadline import RequestDeadline
from order_service import statements
from order_service.idempotency import Claim, settle_all
from order_service.messaging import order_cancelled, order_placed
from order_service.models import (
    Order,
    OrderLineRequest,
    OrderStatus,
    ProductSnapshot,
    check,
    outbox,
    require_known,
)
from order_service.statements import Move

NO_ORDER = "There is no such order."
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Placement:
    """What somebody wants to order; `is_awaited` when the answer is held for the decision."""

    user_id: UUID
    lines: list[OrderLineRequest]
    claim: Claim | None = None
    is_awaited: bool = False
    deadline: RequestDeadline = field(default_factory=deadline.current)
    trace_context: TraceContext | None = field(default_factory=tracing.current)

    def command(
        self, products: Mapping[str, ProductSnapshot], degraded: Sequence[str]
    ) -> "PlaceOrder":
        """Raises what `check` raises, or Unavailable when nothing is known of a product."""
        if degraded:
            require_known([line.product_id for line in self.lines], products)
        order = Order.place(self.user_id, check(self.lines, products))
        # Between the question and the transaction: what comes too late changes nothing.
        self.deadline.check()
        return PlaceOrder(self, order, degraded)


@dataclass(frozen=True)
class PlaceOrder:
    """`degraded` are the services that were away when the order was checked."""

    request: Placement
    order: Order
    degraded: Sequence[str]

    @property
    def user_id(self) -> UUID:
        return self.order.user_id

    @property
    def claim(self) -> Claim | None:
        return self.request.claim

    @property
    def trace_context(self) -> TraceContext | None:
        return self.request.trace_context

    def execute(self, _: Mapping[UUID, Order]) -> Order:
        return self.order

    def message(self, order: Order) -> Message:
        return order_placed(
            order,
            self.degraded,
            trace_context=self.trace_context,
            is_awaited=self.request.is_awaited,
        )

    def log_entry(self) -> Entry:
        missing = f", degraded: {', '.join(self.degraded)}" if self.degraded else ""
        text = f"order {self.order.order_id} placed, total {self.order.total_price}{missing}"
        fields = {"event.action": "order.placed", "order.id": str(self.order.order_id)}
        return Entry(text, self.trace_context, fields)


@dataclass(frozen=True)
class CancelOrder:
    user_id: UUID
    order_id: UUID
    claim: Claim | None = None
    trace_context: TraceContext | None = field(default_factory=tracing.current)
    degraded: tuple[str, ...] = ()

    def execute(self, stored: Mapping[UUID, Order]) -> Order:
        """Raises NotFound `order-unknown`, or Conflict `too-late`."""
        order = owned(stored.get(self.order_id), self.user_id)
        order.cancel()
        return order

    def message(self, order: Order) -> Message:
        return order_cancelled(order, trace_context=self.trace_context)

    def log_entry(self) -> Entry:
        fields = {"event.action": "order.cancelled", "order.id": str(self.order_id)}
        return Entry(f"order {self.order_id} cancelled", self.trace_context, fields)


Command = PlaceOrder | CancelOrder


def executor(
    sessions: sessionmaker[Session],
) -> Callable[[Sequence[Command | Exception]], list[Order | Exception]]:
    """Executes commands in one transaction, with the order or the problem of each as its outcome.

    Who is refused before it comes to that is handed over as the problem, which stays the outcome.
    Raises, and has done nothing, what may be the fault of any of them.
    """

    def execute(commands: Sequence[Command | Exception]) -> list[Order | Exception]:
        accepted = [command for command in commands if not isinstance(command, Exception)]
        decided = iter(_execute(sessions, accepted) if accepted else ())
        return [
            command if isinstance(command, Exception) else next(decided) for command in commands
        ]

    return execute


def _execute(
    sessions: sessionmaker[Session], commands: Sequence[Command]
) -> list[Order | Exception]:
    with sessions.begin() as session:
        outcomes = _decide(session, commands)
        executed = [
            (command, outcome)
            for command, outcome in zip(commands, outcomes, strict=True)
            if isinstance(outcome, Order)
        ]
        _write(session, executed)
        kill_points.kill_point(kill_points.BEFORE_COMMIT)
    kill_points.kill_point(kill_points.AFTER_COMMIT)
    log_together(log, [command.log_entry() for command, _ in executed])
    return outcomes


def owned(order: Order | None, user_id: UUID) -> Order:
    if order is None:
        raise order_unknown()
    if order.user_id != user_id:
        raise not_theirs()
    return order


def order_unknown() -> NotFound:
    return NotFound(NO_ORDER, code="order-unknown")


def not_theirs() -> NotTheirs:
    return NotTheirs(NO_ORDER, code="order-unknown")


def _decide(session: Session, commands: Sequence[Command]) -> list[Order | Exception]:
    closed = statements.closed_accounts(session, {command.user_id for command in commands})
    stored = statements.lock_orders(
        session, {command.order_id for command in commands if isinstance(command, CancelOrder)}
    )

    def decide(command: Command) -> Order:
        statements.require_open(command.user_id in closed)
        return command.execute(stored)

    return [outcome_of(lambda command=command: decide(command)) for command in commands]  # type: ignore[misc]


def _write(session: Session, executed: Sequence[tuple[Command, Order]]) -> None:
    settle_all(
        session,
        [
            (command.claim, order.order_id, command.degraded)
            for command, order in executed
            if command.claim is not None
        ],
    )
    statements.insert_orders(
        session, [order for command, order in executed if isinstance(command, PlaceOrder)]
    )
    statements.move_orders(
        session,
        [
            Move(order.order_id, OrderStatus.CANCELLED)
            for command, order in executed
            if isinstance(command, CancelOrder)
        ],
    )
    outbox.record(session, [command.message(order) for command, order in executed])

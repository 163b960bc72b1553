"""What changes orders, and how many such commands are executed in one transaction.

Each command keeps its own trace and its own fate: one that is refused hurts no other.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from sqlalchemy.orm import Session, sessionmaker

from chassis.chaos import kill_points
from chassis.core.errors import NotFound, NotTheirs
from chassis.data.group_commit import outcome_of
from chassis.messaging.outbox import Message
from chassis.observability import tracing
from chassis.observability.tracing import TraceContext
from order_service import statements
from order_service.idempotency import Claim, settle_all
from order_service.messaging import order_cancelled, order_placed
from order_service.models import Order, OrderStatus, outbox
from order_service.statements import Move

NO_ORDER = "There is no such order."


@dataclass(frozen=True)
class PlaceOrder:
    """`degraded` are the services that were away when the order was checked."""

    order: Order
    degraded: list[str]
    claim: Claim | None = None
    trace_context: TraceContext | None = field(default_factory=tracing.current)

    @property
    def user_id(self) -> UUID:
        return self.order.user_id

    def execute(self, _: Mapping[UUID, Order]) -> Order:
        return self.order

    def message(self, order: Order) -> Message:
        return order_placed(order, trace_context=self.trace_context)


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


Command = PlaceOrder | CancelOrder


def executor(
    sessions: sessionmaker[Session],
) -> Callable[[Sequence[Command]], list[Order | Exception]]:
    """Executes commands in one transaction, with the order or the problem of each as its outcome.

    Raises, and has done nothing, what may be the fault of any of them.
    """

    def execute(commands: Sequence[Command]) -> list[Order | Exception]:
        with sessions.begin() as session:
            outcomes = _decide(session, commands)
            _write(
                session,
                [
                    (command, outcome)
                    for command, outcome in zip(commands, outcomes, strict=True)
                    if isinstance(outcome, Order)
                ],
            )
            kill_points.kill_point(kill_points.BEFORE_COMMIT)
        kill_points.kill_point(kill_points.AFTER_COMMIT)
        return outcomes

    return execute


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

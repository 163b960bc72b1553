"""What a step of the tour has in its hands, and what a step is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from fusebox.core.shop_client import Customer
from fusebox.core.stack import Stack
from fusebox.demo.assertions import Order
from fusebox.demo.console import Stage
from fusebox.demo.faults import Breakage, StackHands
from fusebox.demo.inspection import Looking
from fusebox.demo.records import Records
from fusebox.demo.shop_actions import Trading


@dataclass
class Outage:
    """catalog-service is dead: who has ordered since then, and what."""

    customer: Customer
    email: str
    stock_before: int
    orders: list[Order] = field(default_factory=list)


@dataclass
class Scene:
    """`outage` is what one step leaves to the next, which continues it."""

    stack: Stack
    stage: Stage
    breakage: Breakage
    trading: Trading
    looking: Looking
    records: Records
    outage: Outage | None = None

    @classmethod
    def of(cls, stack: Stack, stage: Stage) -> Scene:
        breakage = Breakage(StackHands(stack))
        return cls(stack, stage, breakage, Trading(stack), Looking(stack), Records(stack))


@dataclass(frozen=True)
class Step:
    """`why` is what will happen and why; `continues` where the step before it has left off."""

    title: str
    why: str
    play: Callable[[Scene], None]
    continues: bool = False

"""What a step of the demo works with, and what a step is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from fusebox.core.stack import Stack
from fusebox.demo.console import DemoConsole
from fusebox.demo.faults import FaultInjector, StackInstanceControl
from fusebox.demo.inspection import Inspection
from fusebox.demo.records import OrderRecords
from fusebox.demo.shop_actions import ShopActions
from fusebox.runtime.shop_client import Customer, OrderResult


@dataclass
class CatalogOutage:
    """catalog-service is dead: who has ordered since then, and what."""

    customer: Customer
    email: str
    stock_before: int
    orders: list[OrderResult] = field(default_factory=list)


@dataclass
class DemoContext:
    """`outage` is what one step leaves to the next, which continues it."""

    stack: Stack
    console: DemoConsole
    faults: FaultInjector
    actions: ShopActions
    inspection: Inspection
    records: OrderRecords
    outage: CatalogOutage | None = None

    @classmethod
    def of(cls, stack: Stack, console: DemoConsole) -> DemoContext:
        faults = FaultInjector(StackInstanceControl(stack))
        actions, inspection = ShopActions(stack), Inspection(stack)
        return cls(stack, console, faults, actions, inspection, OrderRecords(stack))


@dataclass(frozen=True)
class DemoStep:
    """`why` is what will happen and why; `continues` where the step before it has left off."""

    title: str
    why: str
    run: Callable[[DemoContext], None]
    continues: bool = False

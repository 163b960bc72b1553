"""The verb `order`: a customer of its own orders through the gateway, and sees what came of it."""

from __future__ import annotations

import json as json_format
import os
import sys
from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from fusebox.cli.usage import Verb, WholeNumber
from fusebox.core.stack import Stack
from fusebox.operations.customers import new_customer

if TYPE_CHECKING:  # requests takes its time to load, and the other verbs do without
    from fusebox.runtime.shop_client import OrderResult

COLOURS = {"CONFIRMED": "green", "refused": "red"}
LONGEST_WAIT = 8  # seconds, what order-service grants
EPILOG = """A new customer registers and logs in, and places one order after another.

With catalog-service away an order is accepted all the same, as PENDING, and the answer says
`degraded`: it was checked against the last known price and stock.

Exit codes: 0 all orders were accepted; 1 one was refused, or the shop does not answer."""


@click.command(cls=Verb, epilog=EPILOG)
@click.option("--product", default="CATALOG-0001", show_default=True, help="What to order.")
@click.option("--qty", type=WholeNumber(1), default=1, show_default=True, help="How many pieces.")
@click.option(
    "--number",
    "-n",
    type=WholeNumber(1),
    default=1,
    show_default=True,
    help="How many orders to place, one after another.",
)
@click.option(
    "--wait",
    type=WholeNumber(0, LONGEST_WAIT),
    default=2,
    show_default=True,
    help="How many seconds each answer may be held until the order is decided.",
)
@click.option("--json", is_flag=True, help="For a program to read.")
@click.pass_obj
def order(stack: Stack, product: str, qty: int, number: int, wait: int, json: bool) -> None:
    """Place an order as a customer, and show its status, time and trace."""
    customer = new_customer(stack)
    results: list[OrderResult] = []
    for place in range(1, number + 1):
        results.append(customer.place_order(product, qty, wait or None))
        if not json:
            click.echo("\n".join(lines(place, results[-1])))
    if json:
        documents = [document(result) for result in results]
        click.echo(json_format.dumps(documents, indent=2))
    else:
        click.echo("".join(f"{line}\n" for line in summary(results)), nl=False)
    sys.exit(0 if all(result.is_accepted for result in results) else 1)


def lines(place: int, result: OrderResult) -> list[str]:
    time_taken = f"after {result.milliseconds:.0f} ms"
    if result.is_accepted:
        degraded = f", degraded: {', '.join(result.degraded)}" if result.degraded else ""
        text = f"{_coloured(result)} {time_taken}{degraded}"
    else:
        text = f"{_coloured(result)} {time_taken}, {result.code}: {result.detail}"
    trace = [f"  trace: {result.trace_url}"] if result.trace_url else []
    return [f"Order {place}: {text}", *trace]


def summary(results: list[OrderResult]) -> Iterator[str]:
    """What the reader should know beyond the single orders."""
    degraded = sorted({service for result in results for service in result.degraded})
    accepted = sum(result.is_accepted for result in results)
    if degraded:
        yield (
            f"Degraded: {' and '.join(degraded)} did not answer, so the order was checked against"
            " the last known price and stock."
        )
    if len(results) > 1:
        yield f"{accepted} of {len(results)} orders were accepted."


def document(result: OrderResult) -> dict[str, object]:
    """With names as in the shop's API."""
    values = asdict(result)
    return {
        "accepted": result.is_accepted,
        "httpStatus": values["http_status"],
        "orderId": values["order_id"],
        "status": values["status"],
        "code": values["code"],
        "detail": values["detail"],
        "degraded": values["degraded"],
        "milliseconds": round(result.milliseconds, 1),
        "traceUrl": values["trace_url"],
    }


def _coloured(result: OrderResult) -> str:
    """The status; `click.echo` takes the colour off where no terminal is."""
    status = result.status if result.is_accepted else "refused"
    if os.environ.get("NO_COLOR"):
        return status
    return click.style(status, fg=COLOURS.get(status, "yellow"))

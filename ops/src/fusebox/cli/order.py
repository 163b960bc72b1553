"""The verb `order`: a customer of its own orders through the gateway, and sees what came of it."""

from __future__ import annotations

import json as json_format
import secrets
import sys
from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from fusebox.core.errors import Fault
from fusebox.core.stack import Stack

if TYPE_CHECKING:  # requests takes its time to load, and the other verbs do without
    from fusebox.runtime.shop_client import Customer, OrderAttempt

LONGEST_WAIT = 8  # seconds, what order-service grants
EPILOG = """A new customer registers and logs in, and places one order after another.

With catalog-service away an order is accepted all the same, as PENDING, and the answer says
`degraded`: it was checked against the last known price and stock.

Exit codes: 0 all orders were accepted; 1 one was refused, or the shop does not answer."""


@click.command(epilog=EPILOG)
@click.option("--product", default="CATALOG-0001", show_default=True, help="What to order.")
@click.option(
    "--qty", type=click.IntRange(min=1), default=1, show_default=True, help="How many pieces."
)
@click.option(
    "--number",
    "-n",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    help="How many orders to place, one after another.",
)
@click.option(
    "--wait",
    type=click.IntRange(0, LONGEST_WAIT),
    default=2,
    show_default=True,
    help="How many seconds each answer may be held until the order is decided.",
)
@click.option("--json", is_flag=True, help="For a program to read.")
@click.pass_obj
def order(stack: Stack, product: str, qty: int, number: int, wait: int, json: bool) -> None:
    """Place an order as a customer, and show its status, time and trace."""
    customer = new_customer(stack)
    attempts: list[OrderAttempt] = []
    for place in range(1, number + 1):
        attempts.append(customer.attempt(product, qty, wait or None))
        if not json:
            click.echo("\n".join(lines(place, attempts[-1])))
    if json:
        documents = [document(attempt) for attempt in attempts]
        click.echo(json_format.dumps(documents, indent=2))
    else:
        click.echo("".join(f"{line}\n" for line in summary(attempts)), nl=False)
    sys.exit(0 if all(attempt.is_accepted for attempt in attempts) else 1)


def new_customer(stack: Stack) -> Customer:
    """Registered and logged in.  Raises Fault, with what to do, when that does not work."""
    import requests

    from fusebox.runtime.shop_client import OrderAttempt, Shop

    gateway = stack.url("gateway")
    try:
        return Shop(gateway).customer(f"customer-{secrets.token_hex(6)}@fusebox.example")
    except requests.HTTPError as error:
        refusal = OrderAttempt.of(error.response, 0)
        raise Fault(
            f"no customer could register and log in: {refusal.code}: {refusal.detail}",
            where=f"Trace: {refusal.trace_url}" if refusal.trace_url else "",
            remedy="`make status` says which part does not answer; `make start"
            " SERVICE=user-service` starts user-service.",
        ) from error
    except requests.RequestException as error:
        raise Fault(
            f"the gateway does not answer at {gateway}",
            remedy="`make up` starts the shop; `make status` says what runs.",
        ) from error


def lines(place: int, attempt: OrderAttempt) -> list[str]:
    time_taken = f"after {attempt.milliseconds:.0f} ms"
    if attempt.is_accepted:
        degraded = f", degraded: {', '.join(attempt.degraded)}" if attempt.degraded else ""
        text = f"{_coloured(attempt)} {time_taken}{degraded}"
    else:
        text = f"{_coloured(attempt)} {time_taken}, {attempt.code}: {attempt.detail}"
    trace = [f"  trace: {attempt.trace_url}"] if attempt.trace_url else []
    return [f"Order {place}: {text}", *trace]


def summary(attempts: list[OrderAttempt]) -> Iterator[str]:
    """What the reader should know beyond the single orders."""
    away = sorted({service for attempt in attempts for service in attempt.degraded})
    accepted = sum(attempt.is_accepted for attempt in attempts)
    if away:
        yield (
            f"Degraded: {' and '.join(away)} did not answer, so the order was checked against the"
            " last known price and stock."
        )
    if len(attempts) > 1:
        yield f"{accepted} of {len(attempts)} orders were accepted."


def document(attempt: OrderAttempt) -> dict[str, object]:
    """With names as in the shop's API."""
    values = asdict(attempt)
    return {
        "accepted": attempt.is_accepted,
        "httpStatus": values["http_status"],
        "orderId": values["order_id"],
        "status": values["status"],
        "code": values["code"],
        "detail": values["detail"],
        "degraded": values["degraded"],
        "milliseconds": round(attempt.milliseconds, 1),
        "traceUrl": values["trace_url"],
    }


def _coloured(attempt: OrderAttempt) -> str:
    """The status; `click.echo` takes the colour off where no terminal is."""
    if not attempt.is_accepted:
        return click.style("refused", fg="red")
    return click.style(attempt.status, fg="green" if attempt.status == "CONFIRMED" else "yellow")

"""The verb `traffic`: steady customers, until Ctrl-C."""

from __future__ import annotations

import math
import sys
import time
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

import click

from fusebox.cli.usage import DecimalNumber, Verb
from fusebox.core import pipes
from fusebox.core.stack import Stack

if TYPE_CHECKING:  # requests takes its time to load, and the other verbs do without
    from fusebox.traffic.customers import SteadyCustomer
    from fusebox.traffic.tally import Tally

LINE_SECONDS = 1.0
# Without a terminal every line stays.
PLAIN_LINE_SECONDS = 5.0
# Each customer acts every so many seconds, so that some are left when others wait for an answer.
SECONDS_BETWEEN = 2.0
MOST_CUSTOMERS = 100
STOP_SECONDS = 3.0
CLEAR_LINE = "\r\x1b[K"
EPILOG = """Customers register, look at the catalog, order, read their orders and give back what
they ordered, so that no product sells out. An answer is ok, degraded (it names who was missing)
or failed (no answer, or an error); p95 is that of the last ten seconds. Break something
meanwhile, in another terminal.

Exit codes: 0 ended by Ctrl-C or after --seconds; 1 the shop does not answer at the beginning."""


@click.command(cls=Verb, epilog=EPILOG)
@click.option(
    "--rate",
    type=DecimalNumber(0.1, 100),
    default=5,
    show_default=True,
    help="How many requests a second.",
)
@click.option("--seconds", type=DecimalNumber(0.1), help="End by itself after so long.")
@click.pass_obj
def traffic(stack: Stack, rate: float, seconds: float | None) -> None:
    """Send steady customers to the shop, and show how they fare."""
    from fusebox.traffic.customers import CustomerLoad
    from fusebox.traffic.tally import Tally

    pipes.end_with_reader()
    customers = _customers(stack, min(math.ceil(rate * SECONDS_BETWEEN), MOST_CUSTOMERS))
    click.echo(f"{len(customers)} customers, {rate:g} requests a second; Ctrl-C ends it.")
    tally = Tally()
    load = CustomerLoad(customers, rate, tally)
    load.start()
    try:
        with suppress(KeyboardInterrupt):  # the way to end it
            _show(tally, seconds)
    finally:
        load.stop(STOP_SECONDS)
        click.echo(tally.summary())


def _show(tally: Tally, seconds: float | None) -> None:
    """A line that is written anew each second on a terminal, and else one after another."""
    is_terminal = sys.stdout.isatty()
    pause = LINE_SECONDS if is_terminal else PLAIN_LINE_SECONDS
    end = math.inf if seconds is None else time.monotonic() + seconds
    try:
        while (left := end - time.monotonic()) > 0:
            time.sleep(min(pause, left))
            click.echo(f"{CLEAR_LINE if is_terminal else ''}{tally.line()}", nl=not is_terminal)
    finally:
        click.echo(CLEAR_LINE if is_terminal else "", nl=False)


def _customers(stack: Stack, count: int) -> list[SteadyCustomer]:
    from fusebox.operations.customers import new_customers
    from fusebox.runtime.shop_client import PASSWORD
    from fusebox.traffic.customers import SteadyCustomer

    shop, customers, products = new_customers(stack, count)
    return [
        SteadyCustomer(customer, products, partial(shop.login, email, PASSWORD))
        for email, customer in customers.items()
    ]

"""The verb `demo`, its options and its exit codes."""

from __future__ import annotations

import click

from fusebox.core.stack import Stack

EPILOG = """Each step brings about itself what it needs and leaves the shop as it found it, but for
its own orders, products (DEMO-…) and one dead letter.

Exit codes: 0 every promise kept; 1 one was not, or the shop is not in order; 130 interrupted."""


@click.command(epilog=EPILOG)
@click.option("--step", type=click.IntRange(1, 8), help="Only this one.")
@click.option(
    "--pace",
    type=click.Choice(["reader", "fast"]),
    default="reader",
    show_default=True,
    help="reader: wait for Enter before each step, on a terminal. fast: never wait.",
)
@click.pass_obj
def demo(stack: Stack, step: int | None, pace: str) -> None:
    """The guided tour: break the shop step by step, and hold it to its promises."""
    from fusebox.demo.tour import demo as lead

    lead(stack, step, pace)

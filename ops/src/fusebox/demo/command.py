"""The verb `demo`, its options and its exit codes."""

from __future__ import annotations

import sys

import click

from fusebox.core.stack import Stack

EPILOG = """A step prepares what it needs and leaves the shop as it was, but for its orders and its
products (DEMO-…).

Exit codes: 0 all assertions hold; 1 one does not, or the shop is not in order; 130 interrupted."""


@click.command(epilog=EPILOG)
@click.option("--step", type=click.IntRange(1, 8), help="Only this one.")
@click.option(
    "--pace",
    type=click.Choice(["reader", "fast"]),
    default="reader",
    show_default=True,
    help="reader: wait for Enter before each step, on a terminal. fast: never wait.",
)
@click.option("--json", is_flag=True, help="For a program to read: a line for each event.")
@click.pass_obj
def demo(stack: Stack, step: int | None, pace: str, json: bool) -> None:
    """The guided tour: break the shop step by step, and assert what it promises."""
    from fusebox.demo.console import console_for
    from fusebox.demo.json_console import JsonConsole
    from fusebox.demo.tour import demo as run_demo

    run_demo(stack, step, JsonConsole(sys.stdout) if json else console_for(pace))

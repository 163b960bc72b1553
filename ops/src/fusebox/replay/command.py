"""The verb `replay`, its options and its exit codes."""

from __future__ import annotations

import json as json_format
import math
import sys
from contextlib import nullcontext, redirect_stdout
from pathlib import Path

import click

from fusebox.core.stack import Stack

EPILOG = """FILE is a CSV of the UCI Online Retail format, plain or .gz, as any spreadsheet saves
it: with commas, semicolons or tabs, a decimal comma, the day or the month first. How dates are
written is told by the whole file, a day above 12 or else the order of its lines; if it is not,
--dates says it. What is wrong with a line is counted by kind, with an example.

Every replay has products and customers of its own, so one shop can take any number of them. The
stock of a product is nine tenths of what the file asks for, but at least its largest order: some
products sell out. All customers register first, which costs the shop two password hashes for one
customer; then they order.

Exit codes: 0 all stocks reconcile; 1 not, or the shop stopped answering; 2 nothing to play."""


@click.command(epilog=EPILOG)
@click.argument("file", required=False, type=click.Path(path_type=Path))
@click.option(
    "--concurrency",
    type=click.IntRange(1, 256),
    default=8,
    show_default=True,
    help="So many customers act at once; the orders of one customer keep their order.",
)
@click.option(
    "--speed",
    type=click.FloatRange(min=0),
    default=0,
    help="3600: an hour of the file in a second. 0, the default: no waiting.",
)
@click.option(
    "--synthetic", type=click.IntRange(min=1), help="Play so many randomly generated invoices."
)
@click.option(
    "--dates",
    type=click.Choice(["dmy", "mdy", "ymd"]),
    help="How the dates of FILE are written, where the file itself does not tell.",
)
@click.option("--json", is_flag=True, help="For a program to read.")
@click.pass_obj
def replay(
    stack: Stack,
    file: Path | None,
    concurrency: int,
    speed: float,
    synthetic: int | None,
    dates: str | None,
    json: bool,
) -> None:
    """Play the orders of a real shop from FILE, and reconcile the stocks."""
    from fusebox.replay.input.spellings import DateOrder
    from fusebox.replay.replay import ReplaySource
    from fusebox.replay.replay import replay as run_replay

    if (file is None) == (synthetic is None):
        raise click.UsageError("Give either a FILE or --synthetic N.")
    if not math.isfinite(speed):
        raise click.BadParameter("give a finite number.", param_hint="--speed")
    order = DateOrder(dates) if dates else None
    source = ReplaySource.of_file(file, order) if file else ReplaySource.synthetic(synthetic or 0)
    # A program reads the report alone; whoever looks on sees the progress all the same.
    with redirect_stdout(sys.stderr) if json else nullcontext():
        report = run_replay(stack, source, concurrency, speed)
    click.echo(json_format.dumps(report.document(), indent=2) if json else report.text())
    sys.exit(0 if report.reconciled else 1)

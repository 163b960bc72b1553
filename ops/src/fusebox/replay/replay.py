"""`replay`: reads the orders, plays them on the live shop, and reports."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from fusebox.core.errors import Fault
from fusebox.core.progress import display
from fusebox.core.secrets import secret
from fusebox.core.stack import Stack
from fusebox.network import http
from fusebox.replay.input import rows as reading
from fusebox.replay.input import synthetic
from fusebox.replay.input.lines import InvoiceLine, Ledger, parse_lines
from fusebox.replay.input.rows import CsvRow
from fusebox.replay.input.spellings import AmbiguousDates, DateOrder
from fusebox.replay.outcome import summary
from fusebox.replay.outcome.report import Report
from fusebox.replay.plan import ReplayPlan, make_plan
from fusebox.replay.run.client import ReplayAccount
from fusebox.replay.run.player import Player
from fusebox.replay.run.retry_policy import RetryPolicy
from fusebox.replay.run.runner import ReplayRunner, step
from fusebox.replay.run.worker_pool import WorkerPool

ADMIN = "admin@fusebox.example"


@dataclass(frozen=True)
class ReplaySource:
    """What is played, and its name in the report."""

    name: str
    rows: Iterable[CsvRow]
    delimiter: str = ","
    date_order: DateOrder | None = None

    @classmethod
    def of_file(cls, path: Path, date_order: DateOrder | None = None) -> ReplaySource:
        table = reading.table(path)
        return cls(path.name, table.rows, table.delimiter, date_order)

    @classmethod
    def synthetic(cls, invoices: int) -> ReplaySource:
        name = f"{invoices:,} synthetic invoices (seed {synthetic.SEED})"
        return cls(name, synthetic.rows(invoices))


def replay(stack: Stack, source: ReplaySource, concurrency: int, speed: float) -> Report:
    """Play `source` with so many customers at once, `speed` times real time (0: no waiting).

    Raises Fault when nothing of it can be played, or the shop is down or stops answering.
    """
    ledger, retry_policy = Ledger(), RetryPolicy()
    with display() as shown:
        with step(shown, "lines"):
            plan = make_plan(_lines(source, ledger), ledger)
        _refuse_empty(plan, source, ledger)
        player = _new_player(stack, plan)
        with WorkerPool(stack.url("gateway"), concurrency, retry_policy) as workers:
            runner = ReplayRunner(plan, player, workers, retry_policy, shown)
            outcome = runner.run(concurrency, speed)
    return summary.of(source.name, ledger, plan, player, outcome, retry_policy.retried)


def _lines(source: ReplaySource, ledger: Ledger) -> list[InvoiceLine]:
    try:
        return parse_lines(source.rows, ledger, source.delimiter, source.date_order)
    except AmbiguousDates as error:
        raise Fault(
            f"{source.name} does not say how its dates are to be read",
            where=f"As far as the file goes, {error}.",
            remedy="say it: `make replay FILE=… DATES=dmy` (day first), mdy or ymd.",
            exit_code=2,
        ) from error


def _refuse_empty(plan: ReplayPlan, source: ReplaySource, ledger: Ledger) -> None:
    if not plan.actions:
        reasons = [
            f"  {count:,}  {why} ({ledger.examples.get(why, 'in the plan')})"
            for why, count in ledger.left_out.most_common()
        ]
        raise Fault(
            f"of the {ledger.read:,} lines of {source.name} none can be played",
            where="\n".join(reasons),
            remedy=reading.REMEDY,
            exit_code=2,
        )


def _new_player(stack: Stack, plan: ReplayPlan) -> Player:
    """Customers and products that no other replay has, so that two replays never mix.

    Products are created and never restocked, since a creation that is asked for again has no
    second effect, and stock that is added again would.
    """
    run, password = secrets.token_hex(4), secrets.token_urlsafe(24)
    accounts = {
        customer: ReplayAccount(f"replay-{run}-{number}@fusebox.example", password)
        for number, customer in enumerate(plan.customers)
    }
    return Player(run, accounts, ReplayAccount(ADMIN, _admin_password(stack)))


def _admin_password(stack: Stack) -> str:
    if http.get(stack.url("gateway") + "/actuator/health").status == 0:
        raise Fault(
            f"the shop does not answer on {stack.url('gateway')}",
            remedy="`make up` starts it; `make status` says what runs.",
        )
    try:
        return secret(stack, "admin-password")
    except OSError as error:
        raise Fault(
            "the admin's password cannot be read, and products are made by the admin",
            where=f"It is looked for in {stack.secrets}.",
            remedy="run it as who started the shop, with the same FUSEBOX_HOME.",
        ) from error

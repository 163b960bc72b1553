"""`replay`: reads the orders, has them played on the live shop, and reports."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from fusebox.core import http
from fusebox.core.errors import Fault
from fusebox.core.progress import display
from fusebox.core.secrets import secret
from fusebox.core.stack import Stack
from fusebox.replay.input import rows as reading
from fusebox.replay.input import synthetic
from fusebox.replay.input.lines import Ledger, gather
from fusebox.replay.input.rows import Row
from fusebox.replay.outcome import summary
from fusebox.replay.outcome.report import Report
from fusebox.replay.plan import Script, write
from fusebox.replay.run.client import Account
from fusebox.replay.run.player import Play
from fusebox.replay.run.retry_policy import Patience
from fusebox.replay.run.runner import Performance, step
from fusebox.replay.run.worker_pool import Crew

ADMIN = "admin@fusebox.example"


@dataclass(frozen=True)
class Source:
    """What is played, and its name in the report."""

    name: str
    rows: Iterable[Row]

    @classmethod
    def of_file(cls, path: Path) -> Source:
        return cls(path.name, reading.rows(path))

    @classmethod
    def synthetic(cls, invoices: int) -> Source:
        name = f"{invoices:,} synthetic invoices (seed {synthetic.SEED})"
        return cls(name, synthetic.rows(invoices))


def replay(stack: Stack, source: Source, concurrency: int, speed: float) -> Report:
    """Play `source` with so many customers at once, `speed` times real time (0: no waiting).

    Raises Fault when nothing of it can be played, or the shop is down or stays away.
    """
    ledger, patience = Ledger(), Patience()
    with display() as shown:
        with step(shown, "lines"):
            script = write(gather(source.rows, ledger), ledger)
        _refuse_nothing(script, source, ledger)
        play = _cast(stack, script)
        with Crew(stack.url("gateway"), concurrency, patience) as crew:
            outcome = Performance(script, play, crew, patience, shown).run(concurrency, speed)
    return summary.of(source.name, ledger, script, play, outcome, patience.retried)


def _refuse_nothing(script: Script, source: Source, ledger: Ledger) -> None:
    if not script.acts:
        told = [f"  {count:,}  {why}" for why, count in ledger.left_out.most_common()]
        raise Fault(
            f"of the {ledger.read:,} lines of {source.name} none can be played",
            where="\n".join(told),
            remedy=reading.REMEDY,
            exit_code=2,
        )


def _cast(stack: Stack, script: Script) -> Play:
    """Customers and products that no other replay has: what is played twice is two worlds.

    Products are created and never restocked, since a creation that is asked for again has no
    second effect, and stock that is added again would.
    """
    run, password = secrets.token_hex(4), secrets.token_urlsafe(24)
    accounts = {
        customer: Account(f"replay-{run}-{number}@fusebox.example", password)
        for number, customer in enumerate(script.customers)
    }
    return Play(run, accounts, Account(ADMIN, _admin_password(stack)))


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

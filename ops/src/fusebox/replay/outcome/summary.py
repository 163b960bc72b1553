"""The report out of what was read, answered and found."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from fusebox.replay.input.lines import Ledger, LeftOut, Mended
from fusebox.replay.outcome.reconciliation import CONFIRMED, PENDING, differences, doubled, lost
from fusebox.replay.outcome.report import Cancellations, Lines, Orders, Pace, Report, Stocks
from fusebox.replay.plan import Script
from fusebox.replay.run.player import Play, Tally
from fusebox.replay.run.runner import Outcome


def of(
    source: str, ledger: Ledger, script: Script, play: Play, outcome: Outcome, retried: int
) -> Report:
    return Report(
        source=source,
        run=play.run,
        customers=len(script.customers),
        lines=Lines(
            read=ledger.read,
            played=ledger.played,
            left_out=_ranked(ledger.left_out),
            mended=_ranked(ledger.mended),
        ),
        orders=_orders(script, play.tally, outcome),
        cancellations=Cancellations(
            play.tally.cancelled, play.tally.too_late, play.tally.never_placed
        ),
        pace=_pace(play.tally, outcome, retried),
        stocks=_stocks(script, outcome),
    )


def _orders(script: Script, tally: Tally, outcome: Outcome) -> Orders:
    statuses = outcome.statuses
    counts = Counter(statuses.get(each, "") for each in tally.accepted.values())
    return Orders(
        wanted=len(script.orders),
        refused=tally.refused,
        placed=len(tally.accepted),
        confirmed=counts[CONFIRMED],
        rejected=counts["REJECTED"],
        cancelled=counts["CANCELLED"],
        undecided=counts[PENDING],
        lost=lost(tally.accepted, statuses),
        doubled=doubled(tally.accepted, statuses),
        degraded=tally.degraded,
    )


def _pace(tally: Tally, outcome: Outcome, retried: int) -> Pace:
    return Pace(
        seconds=round(outcome.seconds, 1),
        orders_a_second=round(len(tally.accepted) / max(outcome.seconds, 0.001), 1),
        p50_ms=round(1000 * percentile(tally.latencies, 50), 1),
        p99_ms=round(1000 * percentile(tally.latencies, 99), 1),
        retried=retried,
    )


def _stocks(script: Script, outcome: Outcome) -> Stocks:
    return Stocks(
        products=len(script.products),
        at_first=sum(product.stock for product in script.products.values()),
        expected=sum(outcome.expected.values()),
        found=sum(outcome.found.values()),
        differences=differences(outcome.expected, outcome.found),
    )


def percentile(values: Sequence[float], share: int) -> float:
    """The least of `values` that so many percent of them do not exceed; 0 of none."""
    if not values:
        return 0.0
    return sorted(values)[max(-(-len(values) * share // 100), 1) - 1]


def _ranked(counts: Mapping[LeftOut, int] | Mapping[Mended, int]) -> dict[str, int]:
    """The most frequent first, and nothing that never was."""
    return {what.value: count for what, count in Counter(counts).most_common() if count}

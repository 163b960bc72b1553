"""The report, from what was read, what the shop answered, and the stocks in the end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from fusebox.replay.input.lines import Corrected, Ledger, LeftOut
from fusebox.replay.outcome.reconciliation import CONFIRMED, PENDING, differences, doubled, lost
from fusebox.replay.outcome.report import (
    CancellationCounts,
    LineCounts,
    OrderCounts,
    Pace,
    Report,
    Stocks,
)
from fusebox.replay.plan import ReplayPlan
from fusebox.replay.run.player import Player, ReplayTally
from fusebox.replay.run.runner import ReplayOutcome


def of(
    source: str,
    ledger: Ledger,
    plan: ReplayPlan,
    player: Player,
    outcome: ReplayOutcome,
    retried: int,
) -> Report:
    return Report(
        source=source,
        run=player.run,
        customers=len(plan.customers),
        lines=LineCounts(
            read=ledger.read,
            played=ledger.played,
            left_out=_ranked(ledger.left_out),
            corrected=_ranked(ledger.corrected),
            examples={str(why): example for why, example in ledger.examples.items()},
        ),
        orders=_orders(plan, player.tally, outcome),
        cancellations=CancellationCounts(
            player.tally.cancelled, player.tally.too_late, player.tally.never_placed
        ),
        pace=_pace(player.tally, outcome, retried),
        stocks=_stocks(plan, outcome),
    )


def _orders(plan: ReplayPlan, tally: ReplayTally, outcome: ReplayOutcome) -> OrderCounts:
    statuses = outcome.statuses
    counts = Counter(statuses.get(order_id, "") for order_id in tally.accepted.values())
    return OrderCounts(
        wanted=len(plan.orders),
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


def _pace(tally: ReplayTally, outcome: ReplayOutcome, retried: int) -> Pace:
    return Pace(
        seconds=round(outcome.seconds, 1),
        orders_a_second=round(len(tally.accepted) / max(outcome.seconds, 0.001), 1),
        p50_ms=round(1000 * percentile(tally.latencies, 50), 1),
        p99_ms=round(1000 * percentile(tally.latencies, 99), 1),
        retried=retried,
    )


def _stocks(plan: ReplayPlan, outcome: ReplayOutcome) -> Stocks:
    return Stocks(
        products=len(plan.products),
        at_first=sum(product.stock for product in plan.products.values()),
        expected=sum(outcome.expected.values()),
        actual=sum(outcome.stocks.values()),
        differences=differences(outcome.expected, outcome.stocks),
    )


def percentile(values: Sequence[float], share: int) -> float:
    """The least of `values` that so many percent of them do not exceed; 0 of none."""
    if not values:
        return 0.0
    return sorted(values)[max(-(-len(values) * share // 100), 1) - 1]


def _ranked(counts: Mapping[LeftOut, int] | Mapping[Corrected, int]) -> dict[str, int]:
    """The most frequent first, and nothing that never was."""
    return {what.value: count for what, count in Counter(counts).most_common() if count}

"""How figures are shown: one Markdown page, for a terminal and for docs/benchmarks.md."""

from collections.abc import Sequence

from bench.harness.figures import Figures, LoadResult, Measurement, percentile
from bench.harness.machine import Machine

HISTORY = "## History"
FRESH = "| fresh clone to first confirmed order, downloads included |"
HOW = """\
Measured by `make bench` on a stack of its own, through the gateway, with {connections} keep-alive
connections that each ask as soon as they are answered where nothing else is said, after a warm-up
of {warm_up:.0f} s. The load generator runs on the same machine and takes its share of the cores
(last column of the second table). CPU is what all processes of the stack used, less what they use
at rest, which is shown apart; that of an order is counted until the last order was decided, Kafka's
both hops included. N is the CPU that nginx spends to pass on one small GET, measured just before
and after each figure: the same code costs up to three times more on a busy machine, and nginx with
it. Memory is the proportional set size (PSS), which counts shared pages once. Nothing here is
asserted by a test: figures of another machine are other figures.
"""


def page(
    machine: Machine, figures: Figures, connections: int, warm_up: float, earlier: str = ""
) -> str:
    """The whole page; of the `earlier` one only a fresh clone's figure is kept, if none is new."""
    return "\n".join(
        [
            "# Benchmarks",
            "",
            f"{machine.date}, {machine.line()}",
            "",
            HOW.format(connections=connections, warm_up=warm_up),
            _unit(figures),
            "",
            "## Starting",
            "",
            *_starting(machine, figures, earlier),
            "",
            "## Requests",
            "",
            *_requests(figures.loads),
            "",
            figures.verdict,
            "",
            "## Each process",
            "",
            *_processes(figures),
            "",
            *(line for section in figures.sections for line in (*section, "")),
            *_history(machine, figures, earlier),
            "",
        ]
    )


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """The first column holds names, the others numbers."""
    rules = ["---", *("---:" for _ in header[1:])]
    return [f"| {' | '.join(row)} |" for row in (header, rules, *rows)]


def milliseconds(seconds: float) -> str:
    return f"{seconds * 1000:.2f} ms" if seconds < 0.01 else f"{seconds * 1000:.1f} ms"


def megabytes(size: float) -> str:
    return f"{size / 1e6:.0f} MB"


def microseconds(seconds: float) -> str:
    return f"{seconds * 1e6:,.0f} µs"


def cpu_of(measured: Measurement, seconds: float) -> str:
    """`seconds` of CPU in microseconds and, where there is a unit, in N."""
    return ", ".join(filter(None, (microseconds(seconds), measured.in_units(seconds))))


def percentiles(load: LoadResult) -> tuple[float, float]:
    return percentile(load.latencies, 50), percentile(load.latencies, 99)


def _unit(figures: Figures) -> str:
    if figures.unit is None:
        return "There is no nginx here, so that figures are in µs alone."
    return f"In this run N was {figures.unit * 1e6:.0f} µs (median of all)."


def _history(machine: Machine, figures: Figures, earlier: str) -> list[str]:
    """A row a run, the newest last; those of the earlier page are kept."""
    header = ("date", "N", *(measured.name for measured in figures.loads), "idle CPU", "memory")
    row = (
        str(machine.date),
        f"{figures.unit * 1e6:.0f} µs" if figures.unit else "–",
        *(_in_short(measured) for measured in figures.loads),
        f"{sum(figures.idle.values()) * 1000:.0f} ms/s",
        megabytes(sum(figures.memory_at_rest.values())),
    )
    kept = earlier.partition(HISTORY)[2].strip().splitlines()
    if not kept:
        return [HISTORY, "", *table(header, [row])]
    return [HISTORY, "", *kept, *table(header, [row])[2:]]


def _in_short(measured: Measurement) -> str:
    cost = measured.cpu_per_request
    return measured.in_units(cost) or microseconds(cost)


def _starting(machine: Machine, figures: Figures, earlier: str) -> list[str]:
    day = str(machine.date)
    rows = [
        ("`make up` on a new home to first confirmed order", f"{figures.first_up:.1f} s", day),
        ("second `make up` to first confirmed order", f"{figures.second_up:.1f} s", day),
    ]
    return [*table(("from … to …", "time", "measured"), rows), _fresh(day, figures, earlier)]


def _fresh(day: str, figures: Figures, earlier: str) -> str:
    if figures.fresh is not None:
        return f"{FRESH} {figures.fresh:.1f} s | {day} |"
    previous = [line for line in earlier.splitlines() if line.startswith(FRESH)]
    return previous[0] if previous else f"{FRESH} with `--fresh` | |"


def _requests(loads: Sequence[Measurement]) -> list[str]:
    header = ("", "requests/s", "p50", "p99", "CPU/request", "answers", "failed", "generator")
    return [*table(header, [_request(measured) for measured in loads]), *_settled(loads)]


def _request(measured: Measurement) -> tuple[str, ...]:
    load = measured.load
    return (
        measured.name,
        f"{load.rate:.0f}",
        *(milliseconds(seconds) for seconds in percentiles(load)),
        cpu_of(measured, measured.cpu_per_request),
        str(len(load.latencies)),
        str(load.failures),
        f"{load.own_cpu / load.took:.0%} of a core",
    )


def _settled(loads: Sequence[Measurement]) -> list[str]:
    return [
        f"\nAll were decided {measured.settling:.1f} s after the last answer ({measured.name})."
        for measured in loads
        if measured.settling
    ]


def _processes(figures: Figures) -> list[str]:
    header = (
        "process",
        "memory at rest",
        "after the load",
        "CPU a second at rest",
        *(measured.name for measured in figures.loads),
    )
    rows = [_process(figures, name) for name in figures.processes]
    total = (
        "**all**",
        megabytes(sum(figures.memory_at_rest.values())),
        megabytes(sum(figures.memory_after_load.values())),
        milliseconds(sum(figures.idle.values())),
        *(milliseconds(measured.cpu_per_request) for measured in figures.loads),
    )
    return table(header, [*rows, total])


def _process(figures: Figures, name: str) -> tuple[str, ...]:
    return (
        name,
        megabytes(figures.memory_at_rest.get(name, 0)),
        megabytes(figures.memory_after_load[name]),
        milliseconds(figures.idle.get(name, 0.0)),
        *(
            f"{milliseconds(measured.of(name))} ({measured.share(name):.0%})"
            for measured in figures.loads
        ),
    )

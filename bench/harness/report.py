"""How figures are shown: one Markdown page, for a terminal and for docs/benchmarks.md."""

from collections.abc import Sequence

from bench.harness.figures import Figures, Measurement, percentile
from bench.harness.machine import Machine

FRESH = "| fresh clone to first confirmed order, downloads included |"
HOW = """\
Measured by `make bench` on a stack of its own, through the gateway, with {connections} keep-alive
connections that each ask as soon as they are answered, after a warm-up of {warm_up:.0f} s. The load
generator runs on the same machine and takes its share of the cores (last column of the second
table). CPU is what all processes of the stack used, background work included; that of an order is
counted until the last order was decided, Kafka's both hops included. Memory is the proportional set
size (PSS), which counts shared pages once. Nothing here is asserted by a test: figures of another
machine are other figures.
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
        milliseconds(percentile(load.latencies, 50)),
        milliseconds(percentile(load.latencies, 99)),
        milliseconds(measured.cpu_per_request),
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
        *(measured.name for measured in figures.loads),
    )
    rows = [_process(figures, name) for name in figures.processes]
    total = (
        "**all**",
        megabytes(sum(figures.memory_at_rest.values())),
        megabytes(sum(figures.memory_after_load.values())),
        *(milliseconds(measured.cpu_per_request) for measured in figures.loads),
    )
    return table(header, [*rows, total])


def _process(figures: Figures, name: str) -> tuple[str, ...]:
    return (
        name,
        megabytes(figures.memory_at_rest.get(name, 0)),
        megabytes(figures.memory_after_load[name]),
        *(
            f"{milliseconds(measured.of(name))} ({measured.share(name):.0%})"
            for measured in figures.loads
        ),
    )

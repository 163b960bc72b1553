"""`python -m bench`: measure, print, and with `--write` renew docs/benchmarks.md."""

import argparse
import signal
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import NoReturn

from bench import (
    breaker_recovery,
    configuration_changes,
    containers,
    eureka_registry,
    growth,
    live_page,
    login_flood,
    resilience_overhead,
    shop_requests,
)
from bench.calibration import Calibration, calibration
from bench.gateway_comparison import comparison
from bench.harness import fresh_clone
from bench.harness.figures import Figures, Measurement
from bench.harness.machine import Machine
from bench.harness.report import page
from bench.harness.stack_under_test import BenchError, RunningStack
from bench.shop_requests import ShopLoads

CLONE = Path(__file__).resolve().parents[1]
SAMPLING = "management.tracing.sampling.probability"
TRACES = "management.tracing.sampling.rate"
TRACES_A_SECOND = "10"
PAGE = CLONE / "docs" / "benchmarks.md"


def measure(with_fresh_clone: bool) -> Figures:
    seconds_of_fresh_clone = None
    if with_fresh_clone:
        _progress("fresh clone to first order, with every download")
        seconds_of_fresh_clone = fresh_clone.measure(CLONE)
    with calibration() as unit, RunningStack(CLONE) as running:
        figures = replace(_of_the_stack(running, unit), fresh=seconds_of_fresh_clone)
    # A single process is measured without a whole shop on the same cores.
    single_processes = _sections(
        {
            "protected calls": resilience_overhead.section,
            "the gateway": comparison.section,
            "the registry": eureka_registry.section,
        }
    )
    return replace(figures, sections=[*figures.sections, *single_processes])


def grow(orders: int) -> list[str]:
    """The section on growth alone: it takes hours where the others take minutes."""
    with calibration() as unit, RunningStack(CLONE) as running:
        _progress("`make up`")
        running.first_order()
        running.await_aot_caches()
        running.verb("set", TRACES, TRACES_A_SECOND)
        _progress(f"{orders} orders")
        return growth.section(running, unit, orders)


def _of_the_stack(running: RunningStack, unit: Calibration) -> Figures:
    _progress("first `make up`")
    first_up = running.first_order()
    running.await_aot_caches()
    running.verb("down")
    _progress("second `make up`")
    second_up = running.first_order()
    running.await_zipkin()
    memory_at_rest = running.memory()
    _progress("at rest")
    idle = shop_requests.at_rest(running)
    loads = _loads(running, ShopLoads(running, unit, idle))
    memory_after_load = running.memory()
    return Figures(
        first_up=first_up,
        second_up=second_up,
        memory_at_rest=memory_at_rest,
        memory_after_load=memory_after_load,
        loads=loads,
        verdict=f"After the orders `make verify` says: {_last_line(running.verb('verify'))}",
        sections=_sections(
            {
                "an outage": lambda: breaker_recovery.section(running),
                "the panel's page": lambda: live_page.section(running),
                "a flood of logins": lambda: login_flood.section(running),
                "a change of the configuration": lambda: configuration_changes.section(running),
                "containers": lambda: containers.section(running, unit),
            }
        ),
        idle=idle,
        unit=unit.unit(),
    )


def _loads(running: RunningStack, loads: ShopLoads) -> list[Measurement]:
    """The one that the others are read beside, an order at full load, comes last."""
    _progress("GET /catalog-service/catalogs")
    measured = [loads.catalogs(), loads.kept_catalogs(), loads.steady_catalogs()]
    _progress("orders that are not traced")
    running.verb("set", SAMPLING, "0")
    measured.append(loads.orders("an order, not traced"))
    running.verb("set", SAMPLING)
    running.verb("set", TRACES, TRACES_A_SECOND)
    _progress(f"orders, {TRACES_A_SECOND} traces a second")
    measured.append(loads.steady_orders())
    measured.append(loads.orders("an order, one connection", connections=1))
    measured.append(loads.orders("an order"))
    running.verb("set", TRACES)
    return measured


def _sections(sections: Mapping[str, Callable[[], list[str]]]) -> list[list[str]]:
    texts = []
    for what, section in sections.items():
        _progress(what)
        texts.append(section())
    return texts


def _last_line(text: str) -> str:
    return text.rstrip().rpartition("\n")[2]


def _progress(what: str) -> None:
    print(f"bench: {what} …", file=sys.stderr, flush=True)


def _terminated(_number: int, _frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--fresh", action="store_true", help="a fresh clone too: it downloads")
    parser.add_argument("--orders", type=int, help="only the cost of an order up to so many")
    parser.add_argument("--write", action="store_true", help=f"renew {PAGE.relative_to(CLONE)}")
    return parser.parse_args()


def main() -> int:
    arguments = _arguments()
    signal.signal(signal.SIGTERM, _terminated)
    machine = Machine.this()
    try:
        if arguments.orders:
            print(machine.line(), "", *grow(arguments.orders), sep="\n")
            return 0
        figures = measure(arguments.fresh)
    except BenchError as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("bench: interrupted", file=sys.stderr)
        return 130
    earlier = PAGE.read_text() if PAGE.exists() else ""
    text = page(machine, figures, shop_requests.CONNECTIONS, shop_requests.WARM_UP_SECONDS, earlier)
    print(text)
    if arguments.write:
        PAGE.parent.mkdir(exist_ok=True)
        PAGE.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())

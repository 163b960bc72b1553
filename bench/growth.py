"""What an order costs as the tables grow, and as instances are added.

It places as many orders as it is told to, so that it takes its time: `make bench ORDERS=1000000`.
"""

from collections.abc import Iterator

from bench.calibration import Calibration
from bench.harness.figures import ByProcess, Measurement
from bench.harness.report import cpu_of, milliseconds, percentiles, table
from bench.harness.stack_under_test import RunningStack
from bench.shop_requests import ShopLoads, at_rest

FIRST = 1_000
INSTANCES = (1, 2, 4)
SCALED = ("order-service", "catalog-service")
SECONDS = 10.0
HEADER = ("", "orders/s", "p50", "p99", "CPU an order")


def section(running: RunningStack, calibration: Calibration, orders: int) -> list[str]:
    loads = ShopLoads(running, calibration, at_rest(running))
    return [
        "## Growth",
        "",
        "Housekeeping is on. Orders in the tables, all placed through the gateway:",
        "",
        *table(HEADER, [_row(measured) for measured in _by_orders(loads, orders)]),
        "",
        f"Instances of {' and '.join(SCALED)} each:",
        "",
        *table(HEADER, [_row(measured) for measured in _by_instances(loads)]),
    ]


def _by_orders(loads: ShopLoads, orders: int) -> Iterator[Measurement]:
    for size in _sizes(orders):
        missing = size - loads.running.count_of_orders()
        # Each measurement places orders as well.
        if missing > 0:
            loads.place(missing)
        yield loads.orders(f"{loads.running.count_of_orders():,} orders", seconds=SECONDS)


def _by_instances(loads: ShopLoads) -> Iterator[Measurement]:
    for count in INSTANCES:
        for service in SCALED:
            loads.running.verb("scale", service, str(count))
        idle: ByProcess = at_rest(loads.running)
        scaled = ShopLoads(loads.running, loads.calibration, idle)
        yield scaled.orders(f"{count} of each", seconds=SECONDS)


def _sizes(orders: int) -> Iterator[int]:
    """Each tenfold of the first, and the number itself."""
    size = FIRST
    while size < orders:
        yield size
        size *= 10
    yield orders


def _row(measured: Measurement) -> tuple[str, ...]:
    p50, p99 = (milliseconds(seconds) for seconds in percentiles(measured.load))
    cost = cpu_of(measured, measured.cpu_per_request)
    return (measured.name, f"{measured.load.rate:.0f}", p50, p99, cost)

"""N, the unit of CPU figures: what nginx spends to pass on one small GET, measured in the same run.

The same code costs up to three times more CPU on a busy or throttled machine, nginx' included, so
that a figure in N means something on another day and another machine.
"""

import statistics
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from bench.gateway_comparison import proxies, raw_load_generator
from bench.gateway_comparison.proxies import TokenIssuer
from bench.gateway_comparison.raw_load_generator import RawLoad
from bench.harness.figures import Seconds
from bench.harness.single_process import HOST, SingleProcess

COUNT = 6_000
WARM_UP = 500
REQUEST = f"GET /catalog-service/catalogs HTTP/1.1\r\nHost: {HOST}\r\nAccept: */*\r\n\r\n"


class Calibration:
    """nginx before an upstream that costs hardly anything; idle between the samples."""

    def __init__(self, nginx: SingleProcess | None) -> None:
        self._nginx = nginx
        self.samples: list[Seconds] = []

    def sample(self) -> Seconds | None:
        """The CPU seconds of one request just now; None where there is no nginx."""
        if self._nginx is None:
            return None
        before = self._nginx.cpu()
        raw_load_generator.measure(RawLoad(self._nginx.port, REQUEST, COUNT))
        self.samples.append((self._nginx.cpu() - before) / COUNT)
        return self.samples[-1]

    def unit(self) -> Seconds | None:
        """The median of all samples so far."""
        return statistics.median(self.samples) if self.samples else None


@contextmanager
def calibration() -> Iterator[Calibration]:
    with ExitStack() as stack:
        upstream = stack.enter_context(proxies.upstream(TokenIssuer.new().keys()))
        nginx = stack.enter_context(proxies.nginx(upstream))
        if nginx is not None:
            raw_load_generator.measure(RawLoad(nginx.port, REQUEST, WARM_UP))
        yield Calibration(nginx)

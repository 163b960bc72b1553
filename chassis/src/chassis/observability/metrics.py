"""What is counted here, under the names that Spring's dashboards know."""

from collections.abc import Callable, Iterable

from prometheus_client import CollectorRegistry, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, Metric

from chassis.observability.zipkin import ZipkinReporter

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
METHODS = frozenset(("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"))
OUTCOMES = {1: "INFORMATIONAL", 2: "SUCCESS", 3: "REDIRECTION", 4: "CLIENT_ERROR"}


class Metrics:
    def __init__(self, reporter: ZipkinReporter) -> None:
        self._registry = CollectorRegistry()
        self._requests = Histogram(
            "http_server_requests_seconds",
            "Requests answered here.",
            ("method", "uri", "status", "outcome"),
            buckets=BUCKETS,
            registry=self._registry,
        )
        # A look-up of prometheus_client's own costs more than the counting.
        self._known: dict[tuple[str, str, int], Histogram] = {}
        self.add(lambda: _span_metrics(reporter))

    def add(self, collect: Callable[[], Iterable[Metric]]) -> None:
        """Figures that are kept elsewhere in this process; `collect` reads them at each scrape."""
        self._registry.register(_Collected(collect))

    def answered(self, method: str, uri: str, status: int, seconds: float) -> None:
        """Count a request; `uri` is the route's template, so that there are few."""
        known = self._known.get((method, uri, status)) or self._series(method, uri, status)
        known.observe(seconds)

    def _series(self, method: str, uri: str, status: int) -> Histogram:
        # A client may make up methods without end, and each would be kept for ever.
        method = method if method in METHODS else "UNKNOWN"
        outcome = OUTCOMES.get(status // 100, "SERVER_ERROR")
        series = self._requests.labels(method, uri, str(status), outcome)
        self._known[method, uri, status] = series
        return series

    def exposition(self) -> bytes:
        return generate_latest(self._registry)


class _Collected:
    """Reads the figures where they are kept, at each scrape."""

    def __init__(self, collect: Callable[[], Iterable[Metric]]) -> None:
        self.collect = collect


def _span_metrics(reporter: ZipkinReporter) -> Iterable[Metric]:
    sent = CounterMetricFamily("zipkin_reporter_spans_sent", "Spans that Zipkin took.")
    sent.add_metric((), reporter.sent)
    dropped = CounterMetricFamily("zipkin_reporter_spans_dropped", "Spans given up.")
    dropped.add_metric((), reporter.dropped)
    return sent, dropped

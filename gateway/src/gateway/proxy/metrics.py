"""What the gateway counts beyond its requests: cached responses and mirrored requests."""

from collections.abc import Iterable

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from gateway.cache.store import ResponseCache
from gateway.traffic.mirror import Mirror

CACHE = "responses"
# The words of Spring's metrics, and one for what stands in when nobody answers.
RESULTS = {"cached": "hit", "stale": "stale", "service": "miss", "fallback": "miss"}


def of_the_cache(cache: ResponseCache) -> Iterable[Metric]:
    gets = CounterMetricFamily(
        "cache_gets", "Requests that a kept answer could serve.", labels=("cache", "result")
    )
    counts = dict.fromkeys(RESULTS.values(), 0)
    for source, number in dict(cache.gets).items():
        counts[RESULTS[source]] += number
    for result, number in counts.items():
        gets.add_metric((CACHE, result), number)
    entries = GaugeMetricFamily("cache_size", "Kept answers.", labels=("cache",))
    entries.add_metric((CACHE,), cache.entries)
    size = GaugeMetricFamily("cache_size_bytes", "What they take.", labels=("cache",))
    size.add_metric((CACHE,), cache.bytes)
    return gets, entries, size


def of_the_mirror(mirror: Mirror) -> Iterable[Metric]:
    shadows = CounterMetricFamily("gateway_shadows", "Copies of requests.", labels=("result",))
    shadows.add_metric(("sent",), mirror.sent)
    shadows.add_metric(("dropped",), mirror.dropped)
    return (shadows,)

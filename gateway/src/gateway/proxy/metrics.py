"""What the gateway counts beyond its requests: kept answers and shadows."""

from collections.abc import Iterable

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from gateway.cache.store import Store
from gateway.traffic.mirror import Mirror

CACHE = "responses"
# The words of Spring's metrics, and one for what stands in when nobody answers.
RESULTS = {"kept": "hit", "stale": "stale", "service": "miss", "fallback": "miss"}


def of_the_cache(store: Store) -> Iterable[Metric]:
    gets = CounterMetricFamily(
        "cache_gets", "Requests that a kept answer could serve.", labels=("cache", "result")
    )
    found = dict.fromkeys(RESULTS.values(), 0)
    for source, number in dict(store.gets).items():
        found[RESULTS[source]] += number
    for result, number in found.items():
        gets.add_metric((CACHE, result), number)
    entries = GaugeMetricFamily("cache_size", "Kept answers.", labels=("cache",))
    entries.add_metric((CACHE,), store.entries)
    size = GaugeMetricFamily("cache_size_bytes", "What they take.", labels=("cache",))
    size.add_metric((CACHE,), store.bytes)
    return gets, entries, size


def of_shadows(mirror: Mirror) -> Iterable[Metric]:
    shadows = CounterMetricFamily("gateway_shadows", "Copies of requests.", labels=("result",))
    shadows.add_metric(("sent",), mirror.sent)
    shadows.add_metric(("dropped",), mirror.dropped)
    return (shadows,)

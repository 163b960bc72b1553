"""Reads what the picture needs of a page in Prometheus' text format."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from panel.model.windows import CallCounts

SAMPLE = re.compile(r"([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)")
LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)"')
REQUESTS = "http_server_requests_seconds_"
LAG = "kafka_consumer_fetch_manager_records_lag"
SPANS = "zipkin_reporter_spans_sent_total"
SELF_PRESERVATION = "eureka_server_self_preservation"
# Pages that those ask for who look on: they are no traffic.
OWN_PAGES = "/actuator"


@dataclass
class ScrapedMetrics:
    """`lags` are by topic and group."""

    requests: CallCounts = field(default_factory=lambda: CallCounts(0))
    spans: float = 0.0
    lags: dict[tuple[str, str], int] = field(default_factory=dict)
    self_preservation: bool | None = None


def parse(text: str) -> ScrapedMetrics:
    """A line that cannot be read is passed over."""
    metrics = ScrapedMetrics()
    calls, errors, durations = 0.0, 0.0, dict[float, float]()
    for name, labels, value in _samples(text):
        if name.startswith(REQUESTS):
            if labels.get("uri", "").startswith(OWN_PAGES):
                continue
            if name.endswith("_count"):
                calls += value
                errors += value if labels.get("status", "").startswith("5") else 0.0
            elif name.endswith("_bucket"):
                bound = _number(labels.get("le", ""))
                if bound is not None:
                    durations[bound] = durations.get(bound, 0.0) + value
        else:
            _take(metrics, name, labels, value)
    metrics.requests = CallCounts(calls, errors, durations)
    return metrics


def _take(metrics: ScrapedMetrics, name: str, labels: Mapping[str, str], value: float) -> None:
    if name == LAG:
        key = (labels.get("topic", ""), labels.get("group", ""))
        metrics.lags[key] = metrics.lags.get(key, 0) + int(value)
    elif name == SPANS:
        metrics.spans = value
    elif name == SELF_PRESERVATION:
        metrics.self_preservation = value > 0


NEEDED = (REQUESTS, LAG, SPANS, SELF_PRESERVATION)


def _samples(text: str) -> Iterator[tuple[str, dict[str, str], float]]:
    for line in text.splitlines():
        if not line.startswith(NEEDED):
            continue
        sample = SAMPLE.fullmatch(line)
        if sample is None:
            continue
        value = _number(sample[3])
        if value is not None and math.isfinite(value):
            yield sample[1], dict(LABEL.findall(sample[2] or "")), value


def _number(text: str) -> float | None:
    """None for what is none; `+Inf` is one."""
    try:
        number = float(text)
    except ValueError:
        return None
    return None if math.isnan(number) else number

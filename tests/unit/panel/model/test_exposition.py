"""What the picture takes of a page of metrics, as our own processes write it."""

import math

from hypothesis import given
from hypothesis import strategies as st

from chassis.core.live import Live
from chassis.observability.metrics import Metrics
from chassis.observability.zipkin import ZipkinReporter
from panel.model.exposition import parse


def page() -> str:
    metrics = Metrics(ZipkinReporter(Live("http://127.0.0.1:9/")))
    metrics.answered("GET", "/{user_id}/orders", 200, 0.02)
    metrics.answered("GET", "/{user_id}/orders", 503, 0.3)
    metrics.answered("POST", "/{user_id}/orders", 201, 0.004)
    metrics.answered("GET", "/actuator/{page}", 200, 9.0)
    return metrics.exposition().decode()


def test_requests_are_counted_without_those_of_who_watches() -> None:
    requests = parse(page()).requests

    assert (requests.calls, requests.errors) == (3, 1)
    assert requests.durations[0.005] == 1
    assert requests.durations[0.25] == 2
    assert requests.durations[math.inf] == 3


def test_lag_is_the_sum_of_partitions_and_the_registry_says_whether_it_evicts() -> None:
    text = (
        'kafka_consumer_fetch_manager_records_lag{group="g",partition="0",topic="orders"} 3.0\n'
        'kafka_consumer_fetch_manager_records_lag{group="g",partition="1",topic="orders"} 4.0\n'
        "eureka_server_self_preservation 1\n"
        "zipkin_reporter_spans_sent_total 12.0\n"
    )

    metrics = parse(text)

    assert metrics.lags == {("orders", "g"): 7}
    assert metrics.self_preservation is True
    assert metrics.spans == 12


def test_a_label_may_hold_what_lines_are_made_of() -> None:
    line = 'http_server_requests_seconds_count{method="GET",status="500",uri="/a\\"} 9,b"} 2.0'

    assert parse(line).requests.errors == 2


@given(st.text())
def test_what_is_no_page_of_metrics_is_passed_over(text: str) -> None:
    parse(text)


@given(st.text(), st.text())
def test_a_line_that_cannot_be_read_hides_no_other(labels: str, value: str) -> None:
    odd = f"http_server_requests_seconds_count{{{labels}}} {value}".replace("\n", " ")

    assert parse(odd + "\nzipkin_reporter_spans_sent_total 5.0\n").spans == 5

"""Which traces are recorded."""

import pytest
from py_zipkin import Kind
from py_zipkin.encoding import Span
from werkzeug.datastructures import Headers

from chassis.core.live import Live
from chassis.observability import tracing
from chassis.observability.sampling import KEPT_A_SECOND, RouteRules, Sampler, SamplingRules
from chassis.observability.tracing import Tracer


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def sampled(sampler: Sampler, count: int) -> int:
    return sum(sampler.samples_new_trace() for _ in range(count))


def test_without_a_rate_all_are_sampled() -> None:
    assert sampled(Sampler(Live(SamplingRules())), 1_000) == 1_000


def test_a_rate_bounds_how_many_traces_begin_in_a_second() -> None:
    clock = Clock()
    sampler = Sampler(Live(SamplingRules(rate=10)), clock)

    assert sampled(sampler, 1_000) == 10
    clock.now += 0.5
    assert sampled(sampler, 1_000) == 5
    clock.now += 3600
    assert sampled(sampler, 1_000) == 10, "a quiet hour is no licence for a storm"


def test_a_rate_below_one_takes_one_trace_and_then_waits() -> None:
    clock = Clock()
    sampler = Sampler(Live(SamplingRules(rate=0.1)), clock)

    assert sampled(sampler, 5) == 1
    clock.now += 9
    assert sampled(sampler, 5) == 0
    clock.now += 1.1
    assert sampled(sampler, 5) == 1


def test_a_rate_of_nothing_samples_nothing() -> None:
    assert sampled(Sampler(Live(SamplingRules(rate=0))), 10) == 0


def test_a_changed_rate_applies_at_once() -> None:
    clock, rules = Clock(), Live(SamplingRules(rate=10))
    sampler = Sampler(rules, clock)
    sampled(sampler, 100)

    rules.set(SamplingRules(rate=None))

    assert sampled(sampler, 100) == 100


def tracer(spans: list[Span], rules: SamplingRules) -> Tracer:
    return Tracer("order-service", Sampler(Live(rules)), spans.append)


UNSAMPLED = SamplingRules(probability=0, slow_seconds=1.0)


def test_a_request_that_fails_is_kept_although_its_trace_is_not_sampled() -> None:
    spans: list[Span] = []
    with tracer(spans, UNSAMPLED).serve("get /x", Headers()) as span:
        span.fail("500")

    assert [kept.name for kept in spans] == ["get /x"]


def test_a_slow_request_is_kept_and_a_fast_one_is_not() -> None:
    spans: list[Span] = []
    for age in (2.0, 0.5):
        with tracer(spans, UNSAMPLED).serve(f"get /{age}", Headers()) as span:
            span.started -= age

    assert [kept.name for kept in spans] == ["get /2.0"]


def test_a_storm_of_failures_is_kept_only_in_part() -> None:
    spans: list[Span] = []
    failing = tracer(spans, UNSAMPLED)
    for _ in range(1_000):
        with failing.serve("get /x", Headers()) as span:
            span.fail("500")

    assert len(spans) <= 2 * KEPT_A_SECOND


@pytest.mark.parametrize("kind", [Kind.CLIENT, Kind.PRODUCER])
def test_the_steps_of_an_unsampled_request_continue_the_request_itself(kind: Kind) -> None:
    spans: list[Span] = []
    unsampled = tracer(spans, UNSAMPLED)
    with unsampled.serve("get /x", Headers()) as server:
        with unsampled.span("get /y", kind) as step:
            step.tags["http.path"] = "/y"
            step.fail("500")
            sent = tracing.outgoing()
        assert tracing.current() == server.attrs

    assert (sent["X-B3-SpanId"], sent["X-B3-Sampled"]) == (server.attrs.span_id, "0")
    assert spans == []
    assert step.tags == {}


def test_a_message_of_an_unsampled_trace_carries_that_trace_on() -> None:
    unsampled = tracer([], UNSAMPLED)
    with unsampled.serve("get /x", Headers()) as server:
        assert unsampled.child_of(server.attrs) == server.attrs


ROUTES = (
    RouteRules("/catalog-service/catalogs", rate=2),
    RouteRules("/*/orders/**", probability=0),
    RouteRules("/user-service/**"),
)


@pytest.mark.parametrize(
    ("path", "count"),
    [
        ("/catalog-service/catalogs", 2),
        ("/catalog-service/catalogs/CATALOG-0001", 5),
        ("/order-service/orders", 0),
        ("/order-service/orders/7/cancel", 0),
        ("/order-service/orderly", 5),
        ("/order-service/7/orders", 5),
        ("/user-service", 100),
        ("/user-service/users/7", 100),
        ("/user-services", 5),
        ("/user-service/\n", 100),
        ("", 5),
    ],
)
def test_the_first_route_that_matches_decides(path: str, count: int) -> None:
    sampler = Sampler(Live(SamplingRules(rate=5, routes=ROUTES)), Clock())

    assert sum(sampler.samples_new_trace(path) for _ in range(100)) == count


def test_a_busy_route_takes_no_traces_from_the_others() -> None:
    sampler = Sampler(Live(SamplingRules(rate=5, routes=ROUTES)), Clock())
    for _ in range(1_000):
        sampler.samples_new_trace("/catalog-service/catalogs")

    assert sampled(sampler, 100) == 5


def test_a_changed_rate_of_a_route_applies_at_once_and_is_no_second_helping() -> None:
    clock, rules = Clock(), Live(SamplingRules(routes=(RouteRules("/a", rate=10),)))
    sampler = Sampler(rules, clock)
    assert sum(sampler.samples_new_trace("/a") for _ in range(100)) == 10

    rules.set(SamplingRules(routes=(RouteRules("/a", rate=20),)))

    assert sum(sampler.samples_new_trace("/a") for _ in range(100)) == 0
    clock.now += 0.5
    assert sum(sampler.samples_new_trace("/a") for _ in range(100)) == 10

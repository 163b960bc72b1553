"""The service client over real sockets: retries, failures, and what the breaker counts."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import MappingProxyType

import pytest
from py_zipkin.encoding import Span

from chassis.config.breaker_settings import BreakerSettings
from chassis.config.settings import ClientSettings, Fusebox
from chassis.core.errors import CircuitOpen, DeadlineOver, TimedOut, Unavailable
from chassis.core.live import Live
from chassis.discovery.instances import Instance
from chassis.discovery.load_balancer import LoadBalancer
from chassis.observability import span_tags
from chassis.observability.sampling import Sampler, SamplingRules
from chassis.observability.tracing import Tracer
from chassis.resilience import deadline
from chassis.resilience.circuit_breaker_registry import CircuitBreakerRegistry
from chassis.resilience.policy import ResiliencePolicies
from chassis.resilience.service_client import ServiceClient

from ....identities import NO_IDENTITY

Answer = Callable[[BaseHTTPRequestHandler], None]
FUSEBOX = Fusebox(
    breaker=BreakerSettings(fail_max=3, reset_timeout_seconds=60),
    client=ClientSettings(connect_timeout_seconds=0.5, read_timeout_seconds=0.2),
)


def says(status: int) -> Answer:
    def answer(request: BaseHTTPRequestHandler) -> None:
        request.send_response(status)
        request.send_header("Content-Length", "0")
        request.end_headers()

    return answer


def breaks_off(request: BaseHTTPRequestHandler) -> None:
    request.close_connection = True


class Service:
    """Instances of catalog-service, and a client that calls them."""

    def __init__(self) -> None:
        self._servers: list[ThreadingHTTPServer] = []
        self.instances: tuple[Instance, ...] = ()
        self.attempts: list[str] = []
        self.spans: list[Span] = []
        self.waits = threading.Event()
        breakers = CircuitBreakerRegistry(Live(FUSEBOX.breaker))
        self.breaker = breakers.of("catalog-service")
        self.client = ServiceClient(
            "catalog-service",
            LoadBalancer(lambda: MappingProxyType({"catalog-service": self.instances})),
            ResiliencePolicies(breakers, Live(FUSEBOX)).of("catalog-service"),
            Tracer("order-service", Sampler(Live(SamplingRules())), self.spans.append),
            Live(FUSEBOX.client),
            NO_IDENTITY,
        )

    def instance(self, answer: Answer) -> None:
        service = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                service.attempts.append(self.headers.get(deadline.ATTEMPT, "1"))
                answer(self)

            def log_message(self, *_: object) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        self._servers.append(server)
        self.knows(server.server_address[1])

    def knows(self, port: int) -> None:
        name = f"catalog-service-{port}"
        self.instances += (Instance(name, "catalog-service", "127.0.0.1", port),)

    def never(self, _request: BaseHTTPRequestHandler) -> None:
        self.waits.wait(30)

    def call(self) -> int:
        return self.client.get("/catalogs", "/catalogs").status_code

    def close(self) -> None:
        self.waits.set()
        for server in self._servers:
            server.shutdown()
            server.server_close()


@pytest.fixture
def service() -> Iterator[Service]:
    deadline.enter({})
    made = Service()
    yield made
    made.close()
    deadline.enter({})


@pytest.mark.parametrize("status", [200, 404, 409, 429])
def test_a_4xx_is_a_response_and_no_failure(service: Service, status: int) -> None:
    service.instance(says(status))

    assert [service.call() for _ in range(5)] == [status] * 5
    assert service.breaker.state == "CLOSED"


def test_5xx_are_failures_that_open_the_breaker(service: Service) -> None:
    service.instance(says(503))

    for _ in range(3):
        with pytest.raises(Unavailable):
            service.call()
    with pytest.raises(CircuitOpen):
        service.call()
    assert len(service.attempts) == 3


def test_another_instance_is_called_when_one_refuses_the_connection(service: Service) -> None:
    service.knows(1)  # tcpmux: nobody listens there
    service.instance(says(200))

    assert [service.call() for _ in range(10)] == [200] * 10
    assert service.breaker.calls["failed"] == 0
    assert set(service.attempts) == {"1"}


def test_when_all_instances_refuse_the_call_fails_and_counts(service: Service) -> None:
    service.knows(1)
    service.knows(2)

    with pytest.raises(Unavailable):
        service.call()
    assert service.breaker.failures == 1


def test_a_call_that_broke_off_is_retried_once_and_marked_as_a_retry(service: Service) -> None:
    service.instance(breaks_off)

    with pytest.raises(Unavailable):
        service.call()
    assert service.attempts == ["1", "2"]


def test_a_dying_instance_does_not_count_against_the_others(service: Service) -> None:
    deadline.enter({deadline.ATTEMPT: "2"})  # so that it is not retried
    service.instance(breaks_off)
    service.instance(says(200))

    for _ in range(8):
        with suppress(Unavailable):
            service.call()
    assert service.breaker.failures == 0


def test_retries_have_a_budget(service: Service) -> None:
    service.instance(breaks_off)

    for _ in range(3):
        with pytest.raises(Unavailable):
            service.call()
    assert service.attempts.count("2") == 1


def test_a_request_that_is_a_retry_is_not_retried_further(service: Service) -> None:
    service.instance(breaks_off)
    deadline.enter({deadline.ATTEMPT: "2"})

    with pytest.raises(Unavailable):
        service.call()
    assert service.attempts == ["2"]


def test_a_read_timeout_is_a_failure(service: Service) -> None:
    service.instance(service.never)

    with pytest.raises(TimedOut):
        service.call()
    assert service.breaker.failures == 1


def test_a_short_deadline_of_the_caller_does_not_count_against_the_service(
    service: Service,
) -> None:
    service.instance(service.never)
    deadline.enter_from_outside(0.03, longest=10)

    with pytest.raises(DeadlineOver):
        service.call()
    with pytest.raises(DeadlineOver):
        service.call()
    assert service.breaker.failures == 0
    assert len(service.attempts) <= 1


@pytest.mark.parametrize("host", ["a..b", f"{'a' * 64}.example", ".", "a b"])
def test_an_instance_whose_host_is_no_host_is_one_that_does_not_answer(
    service: Service, host: str
) -> None:
    service.instances = (Instance("ghost", "catalog-service", host, 9999),)
    with pytest.raises(Unavailable):
        service.call()

    service.instance(says(200))
    assert [service.call() for _ in range(5)] == [200] * 5


@pytest.mark.parametrize("host", ["::1", "0:0:0:0:0:0:0:1"])
def test_an_instance_may_have_an_ipv6_address(service: Service, host: str) -> None:
    hosts = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            hosts.append(self.headers["Host"])
            says(200)(self)

        def log_message(self, *_: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        address_family = socket.AF_INET6

    with Server(("::1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        service.instances = (Instance("six", "catalog-service", host, server.server_port),)

        assert service.call() == 200
        server.shutdown()

    assert hosts == [f"[{host}]:{server.server_port}"]


def test_a_call_that_an_open_breaker_refuses_is_a_span_with_its_error(service: Service) -> None:
    service.breaker.force_open()

    with pytest.raises(CircuitOpen) as refused:
        service.client.get("/catalogs", "/catalogs")

    (span,) = service.spans
    assert (span.name, span.tags["error"]) == ("get /catalogs", str(refused.value))
    assert span.remote_endpoint is not None
    assert span.remote_endpoint.service_name == "catalog-service"


def test_a_call_that_was_tried_again_shows_each_attempt(service: Service) -> None:
    answers = iter((breaks_off, says(200)))
    service.instance(lambda request: next(answers)(request))

    service.call()

    first, second, call = service.spans
    assert (first.parent_id, second.parent_id) == (call.span_id, call.span_id)
    assert (first.tags["http.resend_count"], second.tags["http.resend_count"]) == ("0", "1")
    assert "error" in first.tags
    assert "error" not in second.tags
    assert "error" not in call.tags


def test_a_call_that_is_answered_at_once_is_one_span_with_the_breakers_state(
    service: Service,
) -> None:
    service.instance(says(200))

    service.call()

    (span,) = service.spans
    assert span.tags["circuitbreaker.state"] == "CLOSED"
    assert "fallback" not in span.tags


def test_a_call_that_failed_says_what_is_done_without_the_service(service: Service) -> None:
    service.breaker.force_open()

    with pytest.raises(CircuitOpen):
        service.client.get("/catalogs", "/catalogs", fallback="prices as they were last known")

    (span,) = service.spans
    assert span.tags["circuitbreaker.state"] == "FORCED_OPEN"
    assert span.tags["fallback"] == "prices as they were last known"


@pytest.mark.parametrize("traces", [True, False])
def test_an_error_of_a_service_is_told_by_its_own_span_if_it_has_one(
    service: Service, traces: bool
) -> None:
    def fails(request: BaseHTTPRequestHandler) -> None:
        request.send_response(500)
        if traces:
            request.send_header(span_tags.HEADER, "http.route=%2Fcatalogs")
        request.send_header("Content-Length", "0")
        request.end_headers()

    service.instance(fails)

    with pytest.raises(Unavailable):
        service.call()

    (span,) = service.spans
    assert span.tags["http.status_code"] == "500"
    assert ("error" in span.tags) is not traces

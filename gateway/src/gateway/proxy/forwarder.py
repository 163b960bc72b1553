"""The innermost handler of the chain: calls the service of an exchange."""

from collections.abc import Callable

from chassis.discovery.instances import Instance
from chassis.identity.assertions import OwnIdentity
from chassis.observability import span_tags, tracing
from chassis.observability.tracing import ActiveSpan, Kind, Tracer
from chassis.resilience import deadline
from gateway.http.header_fields import decoded, parsed
from gateway.http.upstream_messages import UpstreamRequest, UpstreamResponse
from gateway.proxy import headers
from gateway.proxy.upstream_client import UpstreamCall, UpstreamClient
from gateway.routing.exchange import Exchange, GatewayResponse
from gateway.routing.route import Route
from gateway.settings import GatewayLimits

SPAN_TAGS = span_tags.HEADER.lower().encode()


class Forwarder:
    def __init__(
        self,
        tracer: Tracer,
        client: UpstreamClient,
        limits: Callable[[], GatewayLimits],
        identity: OwnIdentity,
    ) -> None:
        self._identity = identity
        self._tracer = tracer
        self._client = client
        self._limits = limits

    async def forward(self, exchange: Exchange) -> GatewayResponse:
        """A short answer whole; a long one is left to be passed on.  Raises as the client does."""
        prefix = exchange.prefix
        name = exchange.route.name_of(exchange.request.method)
        with self._tracer.span(name, Kind.CLIENT) as span:
            call = self._call(exchange, prefix)
            span.called(call.service)
            answer, instance = await self._client.call(call, span)
            span.tags["http.status_code"] = str(answer.status)
            response = _response(answer, instance, prefix, call.service)
            if SPAN_TAGS in answer.headers.first:
                encoded = answer.headers[span_tags.HEADER]
                response = response._replace(span_tags=span_tags.decode(encoded))
                name_span(span, exchange, response)
            elif answer.status >= 500:
                # Who has a span of its own in this trace has the error there.
                span.fail(str(answer.status))
            return response

    def _call(self, exchange: Exchange, prefix: str) -> UpstreamCall:
        route, request = exchange.route, exchange.request
        limits = of_route(self._limits(), route)
        own = headers.own_lines(request, prefix, tracing.outgoing() | deadline.outgoing())
        if exchange.conditions or route.request_edits:
            lines, host = _edited(exchange, own)
        else:
            lines, host = request.headers.once(headers.passing_lines) + own, None
        lines += headers.identity_line(self._identity, exchange.target)
        return UpstreamCall(
            service=exchange.service,
            breaker=exchange.breaker,
            target=exchange.target,
            retry=route.retry,
            request=UpstreamRequest(
                request.method,
                exchange.uri,
                lines,
                exchange.body,
                b"content-length" in request.headers.first,
                host,
                request.upgrade,
                limits.stream_idle_seconds,
            ),
            limits=limits,
        )


def _edited(exchange: Exchange, own: bytes) -> tuple[bytes, str | None]:
    passed = headers.replaced(headers.passing(exchange.request.headers), exchange.conditions)
    pairs = [*decoded(passed), *parsed(own)]
    return headers.edited(exchange.route.request_headers(exchange.view, pairs))


def of_route(limits: GatewayLimits, route: Route) -> GatewayLimits:
    """The limits with the route's own time-outs in their place."""
    timeouts = route.timeouts
    if timeouts is None:
        return limits
    return limits.model_copy(
        update={
            "connect_timeout_seconds": timeouts.connect or limits.connect_timeout_seconds,
            "read_timeout_seconds": timeouts.response or limits.read_timeout_seconds,
        }
    )


def _response(
    answer: UpstreamResponse, instance: Instance, prefix: str, service: str
) -> GatewayResponse:
    passed = headers.to_client(answer.headers, instance, prefix, service)
    if isinstance(answer.body, bytes):
        return GatewayResponse(answer.status, passed, answer.body)
    return GatewayResponse(answer.status, passed, None, (answer, instance), answer.drop)


def name_span(span: ActiveSpan, exchange: Exchange, response: GatewayResponse) -> None:
    """As the service calls what was asked of it, behind what stands before it here."""
    tags = dict(response.span_tags)
    template = tags.pop(span_tags.ROUTE, "")
    if template.startswith("/"):
        span.name = f"{exchange.request.method} {exchange.prefix}{template}".lower()
    span.tags.update(tags)


def tag_status(span: ActiveSpan, status: int) -> None:
    span.tags["http.status_code"] = str(status)
    if status >= 500:
        span.fail(str(status))

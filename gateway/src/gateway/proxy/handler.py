"""From a request to its exchange, through the chain of filters, and out again as a response."""

import asyncio
import logging
from collections.abc import Awaitable
from time import monotonic, time

from chassis.chaos.monkey import Assault, AssaultException
from chassis.core.errors import Overloaded, Problem
from chassis.observability import tracing
from chassis.resilience import deadline
from chassis.runtime.service import Process
from chassis.web.auth import TokenVerifier
from chassis.web.problem_details import INTERNAL_ERROR
from gateway.http import framing
from gateway.http.messages import Request, Response, Send, authorization, host_of
from gateway.http.server import ClientLimits
from gateway.http.upstream_messages import UpstreamResponse
from gateway.openapi.pages import DescriptionPages
from gateway.proxy import headers, metrics, problem_responses, request_body, security_headers
from gateway.proxy.filter_chain import FilterChain
from gateway.proxy.forwarder import Forwarder, name_span, of_route, tag_status
from gateway.proxy.request_log import RequestLog
from gateway.proxy.upstream_client import UpstreamClient
from gateway.routing import rate_limit
from gateway.routing.exchange import Exchange, GatewayResponse
from gateway.routing.request_view import EVENTS, RequestView
from gateway.routing.route import NO_ROUTE
from gateway.rules import GatewayRules
from gateway.security import forwarded, rate_policies
from gateway.security.authentication import Authentication
from gateway.security.cors import CorsDecision
from gateway.security.forwarded import TrustedProxies
from gateway.security.path_normalization import normalized
from gateway.settings import GatewayLimits, GatewaySettings
from gateway.traffic.mirror import Mirror

log = logging.getLogger(__name__)

UNREADABLE = "unreadable request"
ACTUATOR = "/actuator"


class GatewayHandler:
    """Made on the event loop."""

    def __init__(
        self,
        process: Process[GatewaySettings],
        tokens: TokenVerifier,
        rules: GatewayRules,
        pages: DescriptionPages,
    ) -> None:
        self._process = process
        self._limits = process.live.map(lambda settings: settings.fusebox.gateway)
        self._tracer = process.tracer
        self._authentication = Authentication.of(process, tokens)
        self._client = UpstreamClient(
            process.tracer,
            process.balancer,
            process.policies,
            process.live.map(lambda settings: settings.fusebox.client),
        )
        self._rules = rules
        self._log = RequestLog(process.access_log, lambda: self._limits.value.access_log)
        forward = Forwarder(process.tracer, self._client, self._limits, process.identity).forward
        self._mirror = Mirror(forward)
        self._chain = FilterChain(
            rules,
            pages,
            self._authentication,
            self._limits,
            lambda: process.settings.fusebox.pages.panel,
            self._mirror,
            forward,
        )
        process.metrics.add(lambda: metrics.of_the_cache(rules.cache))
        process.metrics.add(lambda: metrics.of_the_mirror(self._mirror))
        self._under_way = 0
        self._known = self.limits
        self._client_limits = client_limits(self._known)

    @property
    def limits(self) -> GatewayLimits:
        return self._limits.value

    def client_limits(self) -> ClientLimits:
        limits = self._limits.value
        if limits is not self._known:
            self._known, self._client_limits = limits, client_limits(limits)
        return self._client_limits

    def is_proxy(self, address: str) -> bool:
        return self._rules.proxies.trusts(address)

    async def close(self) -> None:
        await self._mirror.close()
        self._client.close()

    async def handle(self, request: Request, send: Send) -> None:
        path = _normalized(request.path)
        if proxies := self._rules.proxies:
            _see_through(request, proxies)
        # Before the routes, as Spring's is: one for /** must not hide it.
        if path is not None and (path == ACTUATOR or path.startswith(ACTUATOR + "/")):
            template = ACTUATOR + "/**"
            status = await self._show_own_page(request, path, send)
        else:
            exchange = self._exchange(request, path)
            template = exchange.route.template
            self._under_way += 1
            try:
                status = await self._traced(exchange, send)
            finally:
                self._under_way -= 1
        seconds = monotonic() - request.came
        self._process.metrics.answered(request.method, template, status, seconds)

    def refuse(self, request: Request | None, problem: Problem) -> Response:
        """The answer to what never became a request, or broke the handler."""
        if request is not None and request.trace_id is not None:
            return problem_responses.problem(problem, self._own(request, request.trace_id))
        with self._tracer.serve(UNREADABLE, {}) as span:
            response = problem_responses.problem(problem, self._own(None, span.attrs.trace_id))
            tag_status(span, response.status)
            self._process.metrics.answered("UNKNOWN", NO_ROUTE.template, response.status, 0.0)
            self._log.unreadable(response.status, span.attrs)
            return response

    def _exchange(self, request: Request, path: str | None) -> Exchange:
        """Without a `path` that is clear there is no route: see require_route."""
        given = request.headers
        view = RequestView(
            request.method,
            request.path if path is None else path,
            request.query,
            given,
            given.once(host_of),
            request.remote,
            time(),
        )
        rates = self._rules.rates.take_of_client(view)
        if not rates or rates[-1].allowed:
            user = self._authentication.user(given.once(authorization))
            if user is not None:
                view = RequestView(*view[:-1], user)
                rates += self._rules.rates.take_of_user(view)
        route = None if path is None else self._rules.find(view)
        exchange = Exchange.of(request, view, route or NO_ROUTE)
        exchange.rates = rates
        return exchange

    async def _traced(self, exchange: Exchange, send: Send) -> int:
        request = exchange.request
        name = exchange.route.name_of(request.method)
        trace_of_caller = request.headers.once(tracing.incoming)
        with self._tracer.serve_within(trace_of_caller, name, request.path) as span:
            request.trace_id = span.attrs.trace_id
            span.tags["http.method"] = request.method
            span.tags["http.path"] = request.path
            trace = self._own(request, span.attrs.trace_id)
            cors = self._rules.cors(exchange)
            if cors:
                send = cors.adding_to(send)
            try:
                await self._admit(exchange)
                response = await self._answer(exchange, cors)
                if response.span_tags:
                    name_span(span, exchange, response)
                own = trace | rate_limit.fields(exchange.rates)
                status = await self._passed_on(response, own, send)
            except Problem as problem:
                own = trace | rate_limit.fields(exchange.rates)
                refusal = problem_responses.problem(problem, own)
                status = refusal.status
                if status == INTERNAL_ERROR:
                    log.error("%s %s: %s", request.method, request.path, problem.detail)
                if status >= INTERNAL_ERROR:
                    span.fail_with(problem)
                await send(refusal)
            span.tags["http.status_code"] = str(status)
            if status >= INTERNAL_ERROR and not span.attrs.is_sampled:
                # Of a trace that is recorded, the span of the call has it.
                span.tags.setdefault("error", str(status))
            self._log.answered(exchange, status, span.attrs)
            return status

    def _answer(self, exchange: Exchange, cors: CorsDecision | None) -> Awaitable[GatewayResponse]:
        if cors:
            cors.check()
            if cors.is_preflight:
                return _preflight()
        return self._chain.answer(exchange)

    async def _admit(self, exchange: Exchange) -> None:
        request, limits = exchange.request, of_route(self._limits.value, exchange.route)
        rate_policies.check(exchange.rates)
        if self._under_way > limits.max_concurrent_requests:
            raise Overloaded("The shop has more to do than it can; nothing was done.")
        seconds = request.headers.once(deadline.requested)
        deadline.enter_from_outside(seconds, limits.read_timeout_seconds, request.came)
        if attack := self._process.monkey.next_assault():
            await _suffer(attack)

    async def _passed_on(self, answered: GatewayResponse, own: dict[str, str], send: Send) -> int:
        status, body = answered.status, answered.body
        passed = headers.with_own(answered.headers, {**answered.extra, **own})
        if body is None and status in framing.BODILESS:
            answered.drop()  # for a filter has set this status
            body = b""
        if body is not None:
            await send(Response(status, passed, body))
            return status
        upstream, instance = answered.stream
        async with upstream:
            pause = _pause(upstream, self._limits.value)
            with self._process.balancer.calling(instance):
                await send(Response(status, passed, upstream.body, pause))
            return status

    async def _show_own_page(self, request: Request, path: str, send: Send) -> int:
        # Asked every second by whoever watches, so these traces are named but not recorded.
        request.trace_id = self._tracer.new_trace(sampled=False).trace_id
        trace = self._own(request, request.trace_id)
        try:
            response = await self._own_page(request, path, trace)
        except Problem as problem:
            response = problem_responses.problem(problem, trace)
        await send(response)
        return response.status

    async def _own_page(self, request: Request, path: str, trace: dict[str, str]) -> Response:
        self._authentication.check(request, path)
        body, limits = b"", self.limits
        if request.body is not None:
            body = await request_body.whole(
                request.body, limits.max_body_bytes, limits.body_timeout_seconds
            )
        name = path.removeprefix(ACTUATOR)
        # Checks may look at files or wait for a lock: never on the event loop.
        page = await asyncio.to_thread(self._process.actuator.answer, request.method, name, body)
        headers = {**page.headers, **trace}
        return problem_responses.page(page.status, page.content_type, page.body, headers)

    def _own(self, request: Request | None, trace_id: str) -> dict[str, str]:
        """What every answer to it says."""
        limits = self._limits.value
        own = problem_responses.trace_headers(trace_id, limits.zipkin_ui)
        if request is not None and request.scheme == "https" and limits.strict_transport_security:
            own[security_headers.TRANSPORT] = limits.strict_transport_security
        return own


def _normalized(path: str) -> str | None:
    """None for a path that is not clear."""
    try:
        return normalized(path)
    except Problem:
        return None


def _see_through(request: Request, proxies: TrustedProxies) -> None:
    """Its client is the proxy's, if it is one of `proxies` that asks."""
    peer = request.remote
    request.remote, request.scheme, way = forwarded.origin(peer, request.headers, proxies)
    request.way = (*way, peer)


def client_limits(limits: GatewayLimits) -> ClientLimits:
    return ClientLimits(
        idle=limits.idle_timeout_seconds,
        head=limits.header_timeout_seconds,
        bytes=limits.body_timeout_seconds,
        max_header_bytes=limits.max_header_bytes,
        max_headers=limits.max_headers,
        max_connections=limits.max_connections,
        max_connections_per_client=limits.max_connections_per_client,
    )


def _pause(answer: UpstreamResponse, limits: GatewayLimits) -> float:
    """How long nothing may come of an answer that has begun, in seconds."""
    return (
        limits.stream_idle_seconds if answer.content_type == EVENTS else limits.read_timeout_seconds
    )


async def _preflight() -> GatewayResponse:
    return GatewayResponse(200, (), b"")


async def _suffer(attack: Assault) -> None:
    await asyncio.sleep(attack.delay)
    if attack.fails:
        raise AssaultException

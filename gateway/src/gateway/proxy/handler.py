"""The gateway: one handler, from the first header to the last byte."""

import asyncio
from time import perf_counter, time

from multidict import CIMultiDict

from chassis.chaos.monkey import Assault, AssaultException
from chassis.core.errors import NotFound, Overloaded, Problem
from chassis.discovery.instances import Instance
from chassis.observability import tracing
from chassis.observability.tracing import ActiveSpan, Kind
from chassis.resilience import deadline
from chassis.runtime.service import Process
from chassis.web.auth import TokenVerifier
from gateway.http import framing
from gateway.http.messages import Request, Response, Send
from gateway.http.server import Timeouts
from gateway.http.upstream_messages import UpstreamRequest, UpstreamResponse
from gateway.proxy import access_log, headers, metrics, problem_responses, request_body
from gateway.proxy.forwarder import Forwarder, UpstreamCall
from gateway.proxy.pipeline import Pipeline
from gateway.proxy.problem_responses import SERVER
from gateway.proxy.request_body import Upload
from gateway.routing import route as routes
from gateway.routing.exchange import Exchange, GatewayResponse
from gateway.routing.request_view import EVENTS, RequestView
from gateway.routing.route import Route
from gateway.rules import GatewayRules
from gateway.security.authentication import Authentication
from gateway.settings import GatewayLimits, GatewaySettings
from gateway.traffic.mirror import Mirror

UNKNOWN = "unknown"
UNREADABLE = "unreadable request"
ACTUATOR = "/actuator"


class GatewayHandler:
    """Made on the event loop."""

    def __init__(
        self, process: Process[GatewaySettings], tokens: TokenVerifier, rules: GatewayRules
    ) -> None:
        self._process = process
        self._tracer = process.tracer
        self._authentication = Authentication(tokens)
        self._forwarder = Forwarder(process.balancer, process.policies)
        self._rules = rules
        self._mirror = Mirror()
        self._pipeline = Pipeline(rules, self._mirror)
        process.metrics.add(lambda: metrics.of_the_cache(rules.cache))
        process.metrics.add(lambda: metrics.of_the_mirror(self._mirror))
        self._under_way = 0
        self._known = self.limits
        self._timeouts = timeouts_of(self._known)

    @property
    def limits(self) -> GatewayLimits:
        return self._process.configuration.current.fusebox.gateway

    def timeouts(self) -> Timeouts:
        limits = self.limits
        if limits is not self._known:
            self._known, self._timeouts = limits, timeouts_of(limits)
        return self._timeouts

    async def close(self) -> None:
        await self._mirror.close()
        self._forwarder.close()

    async def handle(self, request: Request, send: Send) -> None:
        began = perf_counter()
        path = request.path
        # Before the routes, as Spring's is: one for /** must not hide it.
        if path == ACTUATOR or path.startswith(ACTUATOR + "/"):
            template = ACTUATOR + "/**"
            status = await self._show_own_page(request, send)
        else:
            view = self._view_of(request)
            route = self._rules.find(view)
            template = route.template if route else UNKNOWN
            self._under_way += 1
            try:
                status = await self._traced(request, view, route, send)
            finally:
                self._under_way -= 1
        seconds = perf_counter() - began
        self._process.metrics.answered(request.method, template, status, seconds)
        if self.limits.access_log:
            access_log.record(request, status, seconds)

    def refuse(self, request: Request | None, problem: Problem) -> Response:
        """The answer to what never became a request, or broke the handler."""
        if request is not None and request.trace_id is not None:
            return problem_responses.problem(problem, self._trace(request.trace_id))
        with self._tracer.serve(UNREADABLE, {}) as span:
            response = problem_responses.problem(problem, self._trace(span.attrs.trace_id))
            _tag_status(span, response.status)
            self._process.metrics.answered("UNKNOWN", UNKNOWN, response.status, 0.0)
            if self.limits.access_log:
                access_log.record_unreadable(response.status, span.attrs.trace_id)
            return response

    def _view_of(self, request: Request) -> RequestView:
        given = request.headers
        return RequestView(
            request.method,
            request.path,
            request.query,
            given,
            given.get("Host", ""),
            request.remote,
            time(),
            self._authentication.user(given.get("Authorization")),
        )

    async def _traced(
        self, request: Request, view: RequestView, route: Route | None, send: Send
    ) -> int:
        method = request.method
        name = route.name_of(method) if route else routes.span_name(method, UNKNOWN)
        with self._tracer.serve(name, request.headers) as span:
            request.trace_id = span.attrs.trace_id
            span.tags["http.method"] = method
            span.tags["http.path"] = request.path
            trace = self._trace(span.attrs.trace_id)
            try:
                status = await self._routed(request, view, route, trace, send)
            except Problem as problem:
                response = problem_responses.problem(problem, trace)
                status = response.status
                await send(response)
            _tag_status(span, status)
            return status

    async def _routed(
        self,
        request: Request,
        view: RequestView,
        route: Route | None,
        trace: dict[str, str],
        send: Send,
    ) -> int:
        limits = self.limits
        if self._under_way > limits.max_concurrent_requests:
            raise Overloaded("The shop has more to do than it can; nothing was done.")
        deadline.enter_from_outside(request.headers, limits.read_timeout_seconds)
        if attack := self._process.monkey.next_assault():
            await _suffer(attack)
        self._rules.check(view)
        if route is None:
            raise NotFound("No service of this shop has this address.")
        exchange = Exchange.of(route, view)
        self._authentication.check(request, exchange.path)
        rate = self._rules.admit(route, view)
        body: bytes | Upload = b""
        if request.body is not None:
            longest = route.max_body_bytes or limits.max_body_bytes
            body = await request_body.take(request.body, longest, limits.read_timeout_seconds)

        async def ask(wanted: Exchange) -> GatewayResponse:
            if wanted.path != exchange.path:
                self._authentication.check(request, wanted.path)
            return await self._asked(request, wanted, body)

        repeatable = isinstance(body, bytes)
        response_ = await self._pipeline.answer(exchange, ask, repeatable)
        return await self._passed_on(response_, rate | trace, send)

    async def _asked(
        self, request: Request, exchange: Exchange, body: bytes | Upload
    ) -> GatewayResponse:
        """Make a call of the pipeline's; a long answer is left to be passed on."""
        prefix = exchange.prefix
        with self._tracer.span(exchange.route.name_of(request.method), Kind.CLIENT) as span:
            call = self._call(request, exchange, prefix, body)
            span.called(call.service)
            answer, instance = await self._forwarder.ask(call, span)
            _tag_status(span, answer.status)
            return _response(answer, instance, prefix)

    def _call(
        self, request: Request, exchange: Exchange, prefix: str, body: bytes | Upload
    ) -> UpstreamCall:
        route, limits = exchange.route, self.limits
        passed = headers.to_upstream(request, prefix, tracing.outgoing() | deadline.outgoing())
        if exchange.more:
            passed.update(exchange.more)
        if route.request_edits:
            passed = CIMultiDict(route.request_headers(exchange.view.path, passed.items()))
        idle = limits.stream_idle_seconds
        return UpstreamCall(
            service=exchange.service,
            breaker=exchange.breaker,
            whom=exchange.target,
            retry=route.retry,
            asked=UpstreamRequest(
                request.method, exchange.uri, passed, body, request.upgrade, idle
            ),
            limits=limits,
        )

    async def _passed_on(self, response_: GatewayResponse, more: dict[str, str], send: Send) -> int:
        passed = CIMultiDict(response_.headers)
        passed.update(more)
        passed.setdefault("Server", SERVER)
        body = response_.body
        if body is None and response_.status in framing.BODILESS:
            response_.drop()  # for a filter has set this status
            body = b""
        if body is not None:
            await send(Response(response_.status, passed, body))
            return response_.status
        answer, instance = response_.stream
        async with answer:
            response = Response(response_.status, passed, answer.body, _pause(answer, self.limits))
            with self._process.balancer.calling(instance):
                await send(response)
            return response_.status

    async def _show_own_page(self, request: Request, send: Send) -> int:
        # Asked every second by whoever watches, so these traces are named but not recorded.
        request.trace_id = self._tracer.child_of(None, sampled=False).trace_id
        trace = self._trace(request.trace_id)
        try:
            response = await self._own_page(request, trace)
        except Problem as problem:
            response = problem_responses.problem(problem, trace)
        await send(response)
        return response.status

    async def _own_page(self, request: Request, trace: dict[str, str]) -> Response:
        self._authentication.check(request, request.path)
        body, limits = b"", self.limits
        if request.body is not None:
            body = await request_body.whole(
                request.body, limits.max_body_bytes, limits.read_timeout_seconds
            )
        name = request.path.removeprefix(ACTUATOR)
        # Checks may look at files or wait for a lock: never on the event loop.
        page = await asyncio.to_thread(self._process.actuator.answer, request.method, name, body)
        return problem_responses.page(page.status, page.content_type, page.body, trace)

    def _trace(self, trace_id: str) -> dict[str, str]:
        return problem_responses.trace_headers(trace_id, self.limits.zipkin_ui)


def timeouts_of(limits: GatewayLimits) -> Timeouts:
    return Timeouts(
        head=limits.header_timeout_seconds,
        bytes=limits.read_timeout_seconds,
        max_header_bytes=limits.max_header_bytes,
    )


def _response(answer: UpstreamResponse, instance: Instance, prefix: str) -> GatewayResponse:
    passed = headers.to_client(answer.headers, instance.url, prefix)
    if isinstance(answer.body, bytes):
        return GatewayResponse(answer.status, passed, answer.body)
    return GatewayResponse(answer.status, passed, None, (answer, instance), answer.drop)


def _pause(answer: UpstreamResponse, limits: GatewayLimits) -> float:
    """How long nothing may come of an answer that has begun, in seconds."""
    return (
        limits.stream_idle_seconds if answer.content_type == EVENTS else limits.read_timeout_seconds
    )


async def _suffer(attack: Assault) -> None:
    await asyncio.sleep(attack.delay)
    if attack.fails:
        raise AssaultException


def _tag_status(span: ActiveSpan, status: int) -> None:
    span.tags["http.status_code"] = str(status)
    if status >= 500:
        span.fail(str(status))

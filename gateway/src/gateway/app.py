"""The gateway: one handler, from the first header to the last byte."""

import asyncio
from time import perf_counter

from chassis import chaos, hops, tracing
from chassis.errors import NotFound, Overloaded, Problem
from chassis.process import Process
from chassis.tokens import Tokens
from chassis.tracing import ActiveSpan, Kind
from gateway import answers, bodies, headers, routes
from gateway.answers import SERVER
from gateway.forwarding import Call, Forwarder
from gateway.guard import Guard
from gateway.routes import Route
from gateway.settings import GatewaySettings, Limits
from gateway.transport.calls import Answer, Asked
from gateway.transport.messages import Request, Response, Send
from gateway.transport.server import Patience

UNKNOWN = "unknown"
UNREADABLE = "unreadable request"
ACTUATOR = "/actuator"
EVENTS = "text/event-stream"


class Gateway:
    """Made on the event loop."""

    def __init__(self, process: Process[GatewaySettings], tokens: Tokens) -> None:
        self._process = process
        self._tracer = process.tracer
        self._guard = Guard(tokens)
        self._forwarder = Forwarder(process.balancer, process.protections)
        self._under_way = 0
        self._known = self.limits
        self._patience = patience_of(self._known)

    @property
    def limits(self) -> Limits:
        return self._process.settings.fusebox.gateway

    def patience(self) -> Patience:
        limits = self.limits
        if limits is not self._known:
            self._known, self._patience = limits, patience_of(limits)
        return self._patience

    def close(self) -> None:
        self._forwarder.close()

    async def handle(self, request: Request, send: Send) -> None:
        began = perf_counter()
        path = request.path
        route = routes.find(self._process.settings.spring.cloud.gateway.routes, path)
        if route is None and (path == ACTUATOR or path.startswith(ACTUATOR + "/")):
            template = ACTUATOR + "/**"
            status = await self._show_own_page(request, send)
        else:
            template = route.template if route else UNKNOWN
            self._under_way += 1
            try:
                status = await self._traced(request, route, send)
            finally:
                self._under_way -= 1
        seconds = perf_counter() - began
        self._process.metrics.answered(request.method, template, status, seconds)

    def refuse(self, request: Request | None, problem: Problem) -> Response:
        """The answer to what never became a request, or broke the handler."""
        if request is not None and request.trace_id is not None:
            return answers.problem(problem, self._trace(request.trace_id))
        with self._tracer.serve(UNREADABLE, {}) as span:
            response = answers.problem(problem, self._trace(span.attrs.trace_id))
            _tell(span, response.status)
            self._process.metrics.answered("UNKNOWN", UNKNOWN, response.status, 0.0)
            return response

    async def _traced(self, request: Request, route: Route | None, send: Send) -> int:
        method = request.method
        name = route.name_of(method) if route else routes.span_name(method, UNKNOWN)
        with self._tracer.serve(name, request.headers) as span:
            request.trace_id = span.attrs.trace_id
            span.tags["http.method"] = method
            span.tags["http.path"] = request.path
            trace = self._trace(span.attrs.trace_id)
            try:
                status = await self._routed(request, route, trace, send)
            except Problem as problem:
                response = answers.problem(problem, trace)
                status = response.status
                await send(response)
            _tell(span, status)
            return status

    async def _routed(
        self, request: Request, route: Route | None, trace: dict[str, str], send: Send
    ) -> int:
        limits = self.limits
        if self._under_way > limits.max_concurrent_requests:
            raise Overloaded("The shop has more to do than it can; nothing was done.")
        hops.enter_from_outside(request.headers, limits.read_timeout_seconds)
        await self._suffer()
        if route is None:
            raise NotFound("No service of this shop has this address.")
        inner = route.inner_path(request.path)
        self._guard.check(request, inner)
        body = await bodies.take(request, limits.max_body_bytes, limits.read_timeout_seconds)
        prefix = route.prefix(request.path)
        with self._tracer.span(route.name_of(request.method), Kind.CLIENT) as span:
            asked = Asked(
                request.method,
                f"{inner}?{request.query}" if request.query else inner,
                headers.to_upstream(request, prefix, tracing.outgoing() | hops.outgoing()),
                body,
                request.upgrade,
                limits.stream_idle_seconds,
            )
            call = Call(route.service, asked, limits)
            return await self._forwarded(call, span, prefix, trace, send)

    async def _suffer(self) -> None:
        attack = self._process.monkey.attack()
        if attack:
            await asyncio.sleep(attack.delay)
            if attack.fails:
                raise chaos.harm()

    async def _forwarded(
        self, call: Call, span: ActiveSpan, prefix: str, trace: dict[str, str], send: Send
    ) -> int:
        span.called(call.service)
        answer, instance = await self._forwarder.ask(call, span)
        async with answer:
            _tell(span, answer.status)
            passed = headers.to_client(answer.headers, instance.url, prefix, trace)
            passed.setdefault("Server", SERVER)
            response = Response(answer.status, passed, answer.body, _pause(answer, call.limits))
            if isinstance(answer.body, bytes):
                await send(response)
            else:
                with self._process.balancer.calling(instance):
                    await send(response)
            return answer.status

    async def _show_own_page(self, request: Request, send: Send) -> int:
        # Asked every second by whoever watches, so these traces are named but not recorded.
        request.trace_id = self._tracer.child_of(None, sampled=False).trace_id
        trace = self._trace(request.trace_id)
        try:
            response = await self._own_page(request, trace)
        except Problem as problem:
            response = answers.problem(problem, trace)
        await send(response)
        return response.status

    async def _own_page(self, request: Request, trace: dict[str, str]) -> Response:
        self._guard.check(request, request.path)
        body, limits = b"", self.limits
        if request.body is not None:
            body = await bodies.whole(
                request.body, limits.max_body_bytes, limits.read_timeout_seconds
            )
        page = request.path.removeprefix(ACTUATOR)
        # Checks may look at files or wait for a lock: never on the event loop.
        found = await asyncio.to_thread(self._process.actuator.answer, request.method, page, body)
        return answers.page(found.status, found.content_type, found.body, trace)

    def _trace(self, trace_id: str) -> dict[str, str]:
        return answers.trace_headers(trace_id, self.limits.zipkin_ui)


def patience_of(limits: Limits) -> Patience:
    return Patience(
        head=limits.header_timeout_seconds,
        bytes=limits.read_timeout_seconds,
        max_header_bytes=limits.max_header_bytes,
    )


def _pause(answer: Answer, limits: Limits) -> float:
    """How long nothing may come of an answer that has begun, in seconds."""
    return (
        limits.stream_idle_seconds if answer.content_type == EVENTS else limits.read_timeout_seconds
    )


def _tell(span: ActiveSpan, status: int) -> None:
    span.tags["http.status_code"] = str(status)
    if status >= 500:
        span.fail(str(status))

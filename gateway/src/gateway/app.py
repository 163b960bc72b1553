"""The gateway: one handler, from the first header to the last byte."""

import asyncio
from dataclasses import dataclass
from time import perf_counter

from aiohttp import ClientTimeout, web

from chassis import chaos, hops, tracing
from chassis.aiohttp_adapter import actuator_answer
from chassis.errors import HeadersTooLarge, NotFound, Overloaded, Problem
from chassis.process import Process
from chassis.tokens import Tokens
from chassis.tracing import ActiveSpan, Kind
from gateway import answers, bodies, headers, routes
from gateway.answers import SERVER, TRACE_ID
from gateway.forwarding import Call, Forwarder
from gateway.guard import Guard
from gateway.routes import Route
from gateway.settings import GatewaySettings, Limits

UNKNOWN = "unknown"
UNREADABLE = "unreadable request"
ACTUATOR = "/actuator"


@dataclass(frozen=True, slots=True)
class Rules:
    """What one state of the settings comes to, made once for many requests."""

    settings: GatewaySettings
    routes: tuple[Route, ...]
    limits: Limits
    timeout: ClientTimeout

    @classmethod
    def of(cls, settings: GatewaySettings) -> "Rules":
        limits = settings.fusebox.gateway
        connect = limits.connect_timeout_seconds
        return cls(
            settings,
            settings.spring.cloud.gateway.routes,
            limits,
            ClientTimeout(
                total=None,
                connect=connect,
                sock_connect=connect,
                sock_read=limits.read_timeout_seconds,
            ),
        )


class Gateway:
    """Made on the event loop."""

    def __init__(self, process: Process[GatewaySettings], tokens: Tokens) -> None:
        self._process = process
        self._tracer = process.tracer
        self._guard = Guard(tokens)
        self._forwarder = Forwarder(process.balancer, process.protections)
        self._under_way = 0
        self._known = Rules.of(process.settings)

    @property
    def rules(self) -> Rules:
        settings = self._process.settings
        if settings is not self._known.settings:
            self._known = Rules.of(settings)
        return self._known

    async def close(self) -> None:
        await self._forwarder.close()

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        began = perf_counter()
        path = request.rel_url.raw_path
        route = routes.find(self.rules.routes, path)
        response: web.StreamResponse
        if route is None and (path == ACTUATOR or path.startswith(ACTUATOR + "/")):
            template, response = ACTUATOR + "/**", await self._own_page(request, path)
        else:
            template = route.template if route else UNKNOWN
            self._under_way += 1
            try:
                response = await self._traced(request, path, route)
            finally:
                self._under_way -= 1
        seconds = perf_counter() - began
        self._process.metrics.answered(request.method, template, response.status, seconds)
        return response

    def refuse(self, request: web.BaseRequest, problem: Problem) -> web.Response:
        """The answer to what never became a request, or broke the handler."""
        if TRACE_ID in request:
            return answers.problem(problem, self._trace(request[TRACE_ID]))
        with self._tracer.serve(UNREADABLE, {}) as span:
            response = answers.problem(problem, self._trace(span.attrs.trace_id))
            _tell(span, response.status)
            self._process.metrics.answered("UNKNOWN", UNKNOWN, response.status, 0.0)
            return response

    async def _traced(
        self, request: web.BaseRequest, path: str, route: Route | None
    ) -> web.StreamResponse:
        method = request.method
        name = route.name_of(method) if route else routes.span_name(method, UNKNOWN)
        with self._tracer.serve(name, request.headers) as span:
            request[TRACE_ID] = span.attrs.trace_id
            span.tags["http.method"] = method
            span.tags["http.path"] = path
            trace = self._trace(span.attrs.trace_id)
            try:
                response = await self._routed(request, path, route, trace)
            except Problem as problem:
                response = answers.problem(problem, trace)
            _tell(span, response.status)
            return response

    async def _routed(
        self, request: web.BaseRequest, path: str, route: Route | None, trace: dict[str, str]
    ) -> web.StreamResponse:
        limits = self.rules.limits
        if self._under_way > limits.max_concurrent_requests:
            raise Overloaded("The shop has more to do than it can; nothing was done.")
        hops.enter_from_outside(request.headers, limits.read_timeout_seconds)
        await self._suffer()
        self._check_headers(request)
        if route is None:
            raise NotFound("No service of this shop has this address.")
        inner = route.inner_path(path)
        self._guard.check(request, inner)
        body = await bodies.take(request, limits.max_body_bytes, limits.read_timeout_seconds)
        prefix = route.prefix(path)
        with self._tracer.span(route.name_of(request.method), Kind.CLIENT) as span:
            query = request.rel_url.raw_query_string
            call = Call(
                service=route.service,
                method=request.method,
                target=f"{inner}?{query}" if query else inner,
                headers=headers.to_upstream(request, prefix, tracing.outgoing() | hops.outgoing()),
                body=body,
                timeout=self.rules.timeout,
            )
            return await self._forwarded(request, call, span, prefix, trace)

    async def _suffer(self) -> None:
        attack = self._process.monkey.attack()
        if attack:
            await asyncio.sleep(attack.delay)
            if attack.fails:
                raise chaos.harm()

    async def _forwarded(
        self,
        request: web.BaseRequest,
        call: Call,
        span: ActiveSpan,
        prefix: str,
        trace: dict[str, str],
    ) -> web.StreamResponse:
        span.called(call.service)
        answer, instance = await self._forwarder.ask(call, span)
        async with answer:
            _tell(span, answer.status)
            passed = headers.to_client(answer.headers, instance.url, prefix, trace)
            passed.setdefault("Server", SERVER)
            if bodies.is_short(answer):
                body = await answer.read()
                return web.Response(status=answer.status, headers=passed, body=body)
            response = web.StreamResponse(status=answer.status, headers=passed)
            with self._process.balancer.calling(instance):
                await bodies.pass_on(answer, request, response)
            return response

    async def _own_page(self, request: web.BaseRequest, path: str) -> web.Response:
        # Asked every second by whoever watches, so these traces are named but not recorded.
        trace = self._trace(self._tracer.child_of(None, sampled=False).trace_id)
        try:
            self._check_headers(request)
            self._guard.check(request, path)
        except Problem as problem:
            return answers.problem(problem, trace)
        response = await actuator_answer(self._process, request, path.removeprefix(ACTUATOR))
        response.headers.update({"Server": SERVER, **trace})
        return response

    def _check_headers(self, request: web.BaseRequest) -> None:
        limit = self.rules.limits.max_header_bytes
        if headers.size(request) > limit:
            raise HeadersTooLarge(f"The headers are longer than {limit} bytes together.")

    def _trace(self, trace_id: str) -> dict[str, str]:
        return answers.trace_headers(trace_id, self.rules.limits.zipkin_ui)


def _tell(span: ActiveSpan, status: int) -> None:
    span.tags["http.status_code"] = str(status)
    if status >= 500:
        span.fail(str(status))

"""The chassis under aiohttp: metrics and spans of requests, the actuator, and a server for the
whole life of a process.
"""

import asyncio
import sys
import time
from collections.abc import Callable
from typing import Any

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from chassis.chaos.monkey import AssaultException, ChaosMonkey
from chassis.config.client import ConfigurationError
from chassis.core.errors import Problem
from chassis.identity.access import PlatformAccess
from chassis.identity.assertions import HEADER
from chassis.identity.guests import GUEST
from chassis.observability.access_log import AnsweredRequest
from chassis.observability.tracing import TraceContext
from chassis.resilience.examination import PROBE
from chassis.runtime import lifecycle
from chassis.runtime.service import Process
from chassis.web import problem_details

KEEPALIVE_SECONDS = 75.0
BACKLOG = 1024

UNKNOWN = "unknown"
# What tells apart nothing but whether an address ends in a slash.
SLASH = "{_}"

# Of a request: the service's name or GUEST, if it is known who asks.
PRINCIPAL = web.RequestKey("principal", str)

FOR_GUESTS = ("refresh", "busrefresh")
REFUSALS: dict[int, type[web.HTTPException]] = {
    401: web.HTTPUnauthorized,
    403: web.HTTPForbidden,
    429: web.HTTPTooManyRequests,
}

Template = Callable[[web.Request], str | None]
Build = Callable[[], tuple[Process[Any], web.Application]]


def add_actuator(
    app: web.Application, process: Process[Any], template: Template | None = None
) -> None:
    """The actuator, with requests counted and traced by the templates of their routes.

    `template` names the routes of an application that has one for all its addresses.
    """

    async def answer(request: web.Request) -> web.Response:
        page = request.match_info.get("page", "")
        _check_caller(process, request, page)
        body = await request.read()
        # Checks may look at files or wait for a lock: never on the event loop.
        response = await asyncio.to_thread(process.actuator.answer, request.method, page, body)
        return web.Response(
            body=response.body,
            status=response.status,
            headers={"Content-Type": response.content_type, **response.headers},
        )

    app.middlewares.append(_assaults(process.monkey))
    # First, and so around all others: what they answer counts as well.
    app.middlewares.insert(0, _observed(process, template))
    app.router.add_route("*", "/actuator/{page:.*}", answer)
    app.router.add_route("*", "/actuator", answer)


def _check_caller(process: Process[Any], request: web.Request, page: str) -> None:
    """Guests may have a changed configuration taken over, as Spring Cloud Bus has it."""
    if request.get(PRINCIPAL) == GUEST and page.partition("/")[0] in FOR_GUESTS:
        return
    try:
        process.check_actuator_caller(request.method, request.headers.get(HEADER))
    except Problem as problem:
        raise refusal(problem) from problem


def authenticated(access: PlatformAccess, is_open: Callable[[web.Request], bool]) -> Middleware:
    """Finds out who asks; nobody in particular may where `is_open`.

    What is shown and not good is refused there as well, so that a slip in a password is noticed.
    """

    @web.middleware
    async def authenticate(request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            principal = access.principal_of(request.headers, request.remote or "")
            if principal is None and not is_open(request):
                raise access.required()
        except Problem as problem:
            raise refusal(problem) from problem
        if principal is not None:
            request[PRINCIPAL] = principal
        return await handler(request)

    return authenticate


def refusal(problem: Problem) -> web.HTTPException:
    """In whose form it is written the application decides."""
    headers = problem_details.headers(problem)
    status = problem_details.status_of(problem)
    return REFUSALS[status](headers=headers, text=problem.detail)


def _observed(process: Process[Any], template: Template | None) -> Middleware:
    @web.middleware
    async def observe(request: web.Request, handler: Handler) -> web.StreamResponse:
        began = time.perf_counter()
        route = (template(request) if template else None) or _route_template(request)
        context: TraceContext | None = None
        if route.startswith("/actuator"):
            answer = await _answer(request, handler)
        else:
            name = f"{request.method} {route}".lower()
            with process.tracer.serve(name, request.headers, request.path) as span:
                context = span.attrs
                answer = await _answer(request, handler)
                span.tags["http.status_code"] = str(answer.status)
                span.tags["http.path"] = request.path
                if answer.status >= 500:
                    span.fail(str(answer.status))
        seconds = time.perf_counter() - began
        process.metrics.answered(request.method, route, answer.status, seconds)
        if context and process.access_log.takes(answer.status, context.is_sampled):
            client = request.remote or ""
            process.access_log.write(
                AnsweredRequest(
                    request.method, route, request.path, answer.status, seconds, client, context
                )
            )
        if isinstance(answer, web.HTTPException):
            raise answer
        return answer

    return observe


async def _answer(request: web.Request, handler: Handler) -> web.StreamResponse:
    """An HTTPException is an answer like any other."""
    try:
        return await handler(request)
    except web.HTTPException as answer:
        return answer


def _route_template(request: web.Request) -> str:
    resource = request.match_info.route.resource
    return resource.canonical.removesuffix(SLASH) if resource else UNKNOWN


def _assaults(monkey: ChaosMonkey) -> Middleware:
    @web.middleware
    async def assault(request: web.Request, handler: Handler) -> web.StreamResponse:
        is_spared = request.path.startswith("/actuator") and PROBE not in request.headers
        due = None if is_spared else monkey.next_assault()
        if due:
            await asyncio.sleep(due.delay)
            if due.fails:
                document = problem_details.document(AssaultException(), None)
                return web.json_response(
                    document, status=document["status"], content_type=problem_details.CONTENT_TYPE
                )
        return await handler(request)

    return assault


def serve(build: Build, port: int, **runner_options: Any) -> None:
    """Run until SIGTERM or SIGINT: out of the registry, finish, end."""
    try:
        process, app = build()
    except ConfigurationError as error:
        sys.exit(f"cannot start: {error}")
    runner = web.AppRunner(
        app,
        access_log=None,
        keepalive_timeout=KEEPALIVE_SECONDS,
        shutdown_timeout=lifecycle.GRACE_SECONDS,
        **runner_options,
    )
    asyncio.run(lifecycle.run(process, _AiohttpServer(runner), port))


class _AiohttpServer:
    def __init__(self, runner: web.BaseRunner) -> None:
        self._runner = runner

    async def open(self, host: str, port: int) -> None:
        await self._runner.setup()
        await web.TCPSite(self._runner, host, port, backlog=BACKLOG).start()

    def leave(self) -> None:
        """Whoever comes now is still served."""

    async def close(self) -> None:
        await self._runner.cleanup()

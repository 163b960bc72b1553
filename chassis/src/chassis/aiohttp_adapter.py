"""The chassis under aiohttp: the actuator, and a life from first request to last."""

import asyncio
import gc
import logging
import signal
import sys
from collections.abc import Callable
from typing import Any

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from chassis import chaos, problems
from chassis.chaos import ChaosMonkey
from chassis.configuration import ConfigurationError
from chassis.process import Process

log = logging.getLogger(__name__)

DRAIN_SECONDS = 1.5
GRACE_SECONDS = 5.0
KEEPALIVE_SECONDS = 75.0
# The default of 700 allocations makes the collector run many times a request, each over all that
# start-up left behind.
GC_THRESHOLD = 20_000

Build = Callable[[], tuple[Process[Any], web.Application]]


def add_actuator(app: web.Application, process: Process[Any]) -> None:
    async def answer(request: web.Request) -> web.Response:
        return await actuator_answer(process, request, request.match_info.get("page", ""))

    app.middlewares.append(_harming(process.monkey))
    app.router.add_route("*", "/actuator/{page:.*}", answer)
    app.router.add_route("*", "/actuator", answer)


async def actuator_answer(
    process: Process[Any], request: web.BaseRequest, page: str
) -> web.Response:
    body = await request.read()
    # Checks may look at files or wait for a lock: never on the event loop.
    found = await asyncio.to_thread(process.actuator.answer, request.method, page, body)
    return web.Response(
        body=found.body, status=found.status, headers={"Content-Type": found.content_type}
    )


def _harming(monkey: ChaosMonkey) -> Middleware:
    @web.middleware
    async def harm(request: web.Request, handler: Handler) -> web.StreamResponse:
        attack = None if request.path.startswith("/actuator") else monkey.attack()
        if attack:
            await asyncio.sleep(attack.delay)
            if attack.fails:
                problem = chaos.harm()
                document = problems.document(problem, None)
                return web.json_response(
                    document, status=document["status"], content_type=problems.CONTENT_TYPE
                )
        return await handler(request)

    return harm


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
        shutdown_timeout=GRACE_SECONDS,
        **runner_options,
    )
    asyncio.run(run(process, runner, port))


async def run(process: Process[Any], runner: web.BaseRunner, port: int) -> None:
    """The whole life of a process whose server is `runner`."""
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)
    await runner.setup()
    await web.TCPSite(runner, process.environment.bind, port, backlog=1024).start()
    process.start(port)
    gc.freeze()
    gc.set_threshold(GC_THRESHOLD)
    log.info("listening on %s:%d", process.environment.bind, port)
    await ended.wait()
    await asyncio.to_thread(process.leave)
    await asyncio.sleep(DRAIN_SECONDS)
    await runner.cleanup()
    await asyncio.to_thread(process.stop)

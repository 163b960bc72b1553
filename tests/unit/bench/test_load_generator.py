"""The load generator, against a server of the test's own."""

import asyncio

from aiohttp import web
from aiohttp.typedefs import Handler
from bench.harness.figures import LoadResult
from bench.harness.load_generator import LoadPlan, RepeatedCall, run


def test_a_plan_is_read_as_it_was_written() -> None:
    plan = LoadPlan(
        [RepeatedCall("POST", "http://x/", {"a": "b"}, "{}")], expected=201, count=3, seconds=1.5
    )

    assert LoadPlan.read(plan.document()) == plan


def test_answers_other_than_expected_are_failures_and_the_count_is_kept() -> None:
    statuses = iter([200, 503, 200, 200, 200, 200])

    async def answer(_request: web.Request) -> web.Response:
        return web.Response(status=next(statuses))

    load = asyncio.run(_against(answer, count=5))

    assert (len(load.latencies), load.failures) == (4, 1)
    assert load.took > 0


def test_with_a_rate_each_connection_waits_for_its_turn() -> None:
    async def answer(_request: web.Request) -> web.Response:
        return web.Response()

    load = asyncio.run(_against(answer, count=6, rate=20.0))

    assert len(load.latencies) == 6
    assert load.took >= 5 / 20.0


async def _against(answer: Handler, count: int, rate: float = 0.0) -> LoadResult:
    app = web.Application()
    app.router.add_get("/", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    try:
        call = RepeatedCall("GET", f"http://127.0.0.1:{port}/")
        return await run(LoadPlan([call, call], 200, count, seconds=5.0, rate=rate))
    finally:
        await runner.cleanup()

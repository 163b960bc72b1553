"""Cached responses and coalesced requests, over HTTP before real upstreams."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests
from aiohttp import web

from ..conftest import BOTH_CHAINS, GET, Shop, until
from ..routes import saying
from ..test_refusals import check

pytestmark = BOTH_CHAINS


def test_what_may_be_kept_is_and_its_trace_is_each_requests_own(shop: Shop) -> None:
    upstream = shop.upstream(saying("list", Cache_Control="public, max-age=60", ETag='"1"'))

    first, second = shop.call("/order-service/x"), shop.call("/order-service/x")
    third = shop.call("/order-service/x", headers={"If-None-Match": '"1"'})

    assert [response.text for response in (first, second)] == ["list", "list"]
    assert second.headers["Age"] == "0"
    assert (third.status_code, third.text, third.headers["ETag"]) == (304, "", '"1"')
    assert len({response.headers["X-Trace-Id"] for response in (first, second, third)}) == 3
    assert len(upstream.seen) == 1


def test_what_is_kept_is_given_to_nobody_with_a_bad_token(shop: Shop) -> None:
    shop.upstream(saying("list", Cache_Control="public, max-age=60"))
    shop.tokens.refresh()
    assert shop.call("/order-service/x").ok

    refused = shop.call("/order-service/x", headers={"Authorization": "Bearer nonsense"})

    check(refused, 401, "unauthenticated")


def test_a_kept_answer_stands_in_when_nobody_answers(shop: Shop) -> None:
    upstream = shop.upstream(saying("list", Cache_Control="max-age=0, stale-if-error=60", ETag="1"))
    assert shop.call("/order-service/x").text == "list"
    shop.servers.run(upstream.stop())

    answer = shop.call("/order-service/x")

    assert (answer.status_code, answer.text) == (200, "list")
    assert answer.headers["Warning"].startswith("110 ")
    assert int(answer.headers["Age"]) >= 0


def test_one_request_goes_upstream_when_many_ask_for_the_same(shop: Shop) -> None:
    gate = asyncio.Event()

    async def slow(_: web.BaseRequest) -> web.StreamResponse:
        await gate.wait()
        return web.Response(text="list", headers={"Cache-Control": "max-age=60"})

    shop.set(fusebox__gateway__read_timeout_seconds=5)
    upstream = shop.upstream(slow)
    with ThreadPoolExecutor(10) as pool:
        asked = [pool.submit(requests.get, f"{shop.url}/order-service/x") for _ in range(10)]
        until(lambda: shop.gateway._under_way == 10)
        shop.servers.call(gate.set)
        responses = [future.result() for future in asked]

    assert [response.text for response in responses] == ["list"] * 10
    assert len(upstream.seen) == 1


def test_a_client_that_goes_away_takes_nobody_with_it(shop: Shop) -> None:
    gate = asyncio.Event()

    async def slow(_: web.BaseRequest) -> web.StreamResponse:
        await gate.wait()
        return web.Response(text="list", headers={"Cache-Control": "max-age=60"})

    shop.set(fusebox__gateway__read_timeout_seconds=5)
    upstream = shop.upstream(slow)
    with ThreadPoolExecutor(3) as pool, shop.raw() as impatient:
        impatient.sendall(
            b"GET /order-service/x HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n\r\n" % shop.port
        )
        until(lambda: upstream.seen)
        asked = [pool.submit(requests.get, f"{shop.url}/order-service/x") for _ in range(3)]
        until(lambda: shop.gateway._under_way == 4)
        impatient.close()
        until(lambda: len(upstream.seen) == 2)
        shop.servers.call(gate.set)
        assert [future.result().text for future in asked] == ["list"] * 3


@pytest.mark.parametrize("second", [b"no-cache", b"max-age=0", b"no-store"])
def test_who_wants_no_cached_response_may_say_so_on_a_second_line(
    shop: Shop, second: bytes
) -> None:
    upstream = shop.upstream(saying("list", Cache_Control="max-age=60"))
    assert shop.call("/order-service/x").ok

    answer = shop.say(GET + b"Cache-Control: max-stale=1\r\nCache-Control: " + second + b"\r\n\r\n")

    assert b"\r\nAge:" not in answer
    assert len(upstream.seen) == 2


@pytest.mark.parametrize(
    ("method", "more"),
    [
        ("GET", {}),
        ("GET", {"Range": "bytes=0-1"}),
        ("GET", {"Accept": "text/event-stream"}),
        ("HEAD", {}),
    ],
)
def test_who_wants_a_cached_response_or_none_causes_no_call(
    shop: Shop, method: str, more: dict[str, str]
) -> None:
    upstream = shop.upstream(saying("list", Cache_Control="max-age=60"))
    headers = {"Cache-Control": "only-if-cached", **more}

    answer = shop.call("/order-service/x", method, headers=headers)

    assert answer.status_code == 504
    if method == "GET":
        check(answer, 504, "not-cached")
    assert not upstream.seen


def test_who_wants_a_cached_response_or_none_gets_one_that_is_there(shop: Shop) -> None:
    upstream = shop.upstream(saying("list", Cache_Control="max-age=60"))
    assert shop.call("/order-service/x").ok

    answer = shop.call("/order-service/x", headers={"Cache-Control": "only-if-cached"})
    stricter = {"Cache-Control": "only-if-cached, no-cache"}
    refused = shop.call("/order-service/x", headers=stricter)

    assert (answer.text, answer.headers["Age"]) == ("list", "0")
    check(refused, 504, "not-cached")
    assert len(upstream.seen) == 1


def test_without_a_cache_the_service_is_asked_all_the_same(shop: Shop) -> None:
    shop.set(fusebox__gateway__cache__enabled=False)
    shop.upstream(saying("list"))

    assert shop.call("/order-service/x", headers={"Cache-Control": "only-if-cached"}).ok

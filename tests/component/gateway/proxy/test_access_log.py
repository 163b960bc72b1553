"""What the gateway tells of itself: figures of its cache and its shadows, and a line a request."""

import logging

import pytest
import requests

from ..conftest import Shop, until
from ..routes import configure, route, saying


def figure(shop: Shop, name: str) -> float:
    for line in shop.process.metrics.exposition().decode().splitlines():
        if line.startswith(name + " "):
            return float(line.rpartition(" ")[2])
    raise AssertionError(f"no {name}")


def gets(shop: Shop, result: str) -> float:
    return figure(shop, f'cache_gets_total{{cache="responses",result="{result}"}}')


def test_what_was_kept_and_what_was_asked_for_is_counted(shop: Shop) -> None:
    upstream = shop.upstream(saying("list", Cache_Control="max-age=0, stale-if-error=60", ETag="1"))
    shop.upstream(saying("list", Cache_Control="max-age=60"), "catalog-service")

    for path in ("/order-service/x", "/catalog-service/x", "/catalog-service/x"):
        assert shop.call(path).ok
    shop.servers.run(upstream.stop())
    assert shop.call("/order-service/x").ok

    assert [gets(shop, outcome) for outcome in ("hit", "miss", "stale")] == [1, 2, 1]
    assert figure(shop, 'cache_size{cache="responses"}') == 2
    assert figure(shop, 'cache_size_bytes{cache="responses"}') > 0


def test_who_wants_news_gets_what_is_so_now_or_nothing(shop: Shop) -> None:
    upstream = shop.upstream(saying("list", Cache_Control="max-age=60, stale-if-error=60"))
    news = {"Cache-Control": "no-cache"}

    assert [shop.call("/order-service/x", headers=news).text for _ in range(2)] == ["list"] * 2
    assert len(upstream.seen) == 2
    shop.servers.run(upstream.stop())
    assert shop.call("/order-service/x", headers=news).status_code == 503
    assert shop.call("/order-service/x").text == "list"


def test_shadows_are_counted(shop: Shop) -> None:
    shop.upstream(saying("real"))
    shop.upstream(saying("shadow"), "catalog-service")
    configure(shop, route("order-service", "Shadow=lb://catalog-service, 1"))

    assert shop.call("/order-service/x").ok

    until(lambda: figure(shop, 'gateway_shadows_total{result="sent"}') == 1)
    assert figure(shop, 'gateway_shadows_total{result="dropped"}') == 0


def test_a_line_for_each_request_is_written_while_it_is_configured(
    shop: Shop, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "gateway.access")
    shop.upstream(saying("list"))

    def lines() -> list[str]:
        return [record.getMessage() for record in caplog.records if record.name == "gateway.access"]

    assert shop.call("/order-service/x").ok
    assert lines() == []
    shop.set(fusebox__gateway__access_log=True)
    answer = shop.call("/order-service/x?token=secret")
    until(lambda: len(lines()) == 1)
    said = shop.say(b"nonsense\r\n\r\n")
    until(lambda: len(lines()) == 2)

    assert lines()[0].startswith('127.0.0.1 "GET /order-service/x HTTP/1.1" 200 ')
    assert lines()[0].endswith(answer.headers["X-Trace-Id"])
    assert lines()[1].startswith('- "-" 400 - ')
    assert lines()[1].rpartition(" ")[2].encode() in said
    shop.set(fusebox__gateway__access_log=False)
    assert requests.get(f"{shop.url}/order-service/x", timeout=5).ok
    assert len(lines()) == 2

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
    caplog.set_level(logging.INFO, "access")
    shop.upstream(saying("list"))

    def lines() -> list[logging.LogRecord]:
        return [record for record in caplog.records if record.name == "access"]

    untraced = {"b3": "0"}
    assert shop.call("/order-service/x", headers=untraced).ok
    assert lines() == []
    shop.set(fusebox__gateway__access_log=True)
    answer = shop.call("/order-service/x?token=secret", headers=untraced)
    until(lambda: len(lines()) == 1)
    said = shop.say(b"nonsense\r\n\r\n")
    until(lambda: len(lines()) == 2)

    request, unreadable = (vars(line) for line in lines())
    assert lines()[0].getMessage().startswith("GET /order-service/x 200, ")
    assert request["trace.id"] == answer.headers["X-Trace-Id"]
    assert (request["client.address"], request["url.path"]) == ("127.0.0.1", "/order-service/x")
    assert "secret" not in str(request)
    assert unreadable["http.response.status_code"] == 400
    assert unreadable["trace.id"].encode() in said
    shop.set(fusebox__gateway__access_log=False)
    assert requests.get(f"{shop.url}/order-service/x", timeout=5, headers=untraced).ok
    assert len(lines()) == 2


def test_a_request_that_is_traced_or_fails_has_a_line_without_any_configuration(
    shop: Shop, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "access")
    shop.upstream(saying("list"))

    traced = shop.call("/order-service/x", headers={"X-B3-Flags": "1"})
    shop.knows(1, service="catalog-service")
    failed = shop.call("/catalog-service/x", headers={"b3": "0"})

    assert failed.status_code == 503

    def traces() -> list[str]:
        return [vars(line)["trace.id"] for line in caplog.records if line.name == "access"]

    until(lambda: len(traces()) >= 2)
    assert traces() == [traced.headers["X-Trace-Id"], failed.headers["X-Trace-Id"]]

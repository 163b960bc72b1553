"""A real gateway with routes that do more than lead to a service, before real upstreams."""

import pytest
from aiohttp import web

from chassis.config.client import ConfigurationError

from ..conftest import BOTH_CHAINS, Shop
from ..routes import configure, route, saying
from ..test_outages import refusing
from ..test_refusals import check

pytestmark = BOTH_CHAINS


def test_a_path_is_rewritten_and_headers_are_edited_on_both_ways(shop: Shop) -> None:
    shop.upstream()
    configure(
        shop,
        route(
            "order-service",
            predicates=["Path=/shop/{user}/**"],
            filters=[
                "RewritePath=/shop/(?<user>[^/]+)/(?<rest>.*), /$\\{rest}/of/$\\{user}",
                "AddRequestHeader=X-User, {user}",
                "RemoveRequestHeader=X-Secret",
                "SetResponseHeader=Server, shop",
                "SetStatus=203",
            ],
        ),
    )

    answer = shop.call("/shop/u%2F1/orders?a=1", headers={"X-Secret": "1"})

    assert (answer.status_code, answer.headers["Server"]) == (203, "shop")
    document = answer.json()
    names = dict(document["headers"])
    assert document["path"] == "/orders/of/u%2F1?a=1"
    assert names["X-User"] == "u%2F1"
    assert "X-Secret" not in names


def test_an_address_outside_of_the_registry_is_a_target_too(shop: Shop) -> None:
    upstream = shop.upstream(service="nobody-asks-for-this")
    configure(shop, route("order-service", uri=f"http://127.0.0.1:{upstream.port}"))

    assert shop.call("/order-service/x").json()["path"] == "/x"
    shop.servers.run(upstream.stop())
    for _ in range(4):
        refused = shop.call("/order-service/x")
        check(refused, 503, refused.json()["code"])
    assert refused.json()["code"] == "circuit-open"


def test_over_its_rate_a_client_is_told_so_and_when_to_come_back(shop: Shop) -> None:
    upstream = shop.upstream()
    configure(shop, route("order-service", "RequestRateLimiter=1, 2, header:X-Key"))

    mine = [shop.call("/order-service/x", headers={"X-Key": "me"}) for _ in range(3)]
    other = shop.call("/order-service/x", headers={"X-Key": "you"})

    assert [response.status_code for response in mine] == [200, 200, 429]
    check(mine[2], 429, "rate-limited")
    assert int(mine[2].headers["Retry-After"]) >= 1
    assert [response.headers["X-RateLimit-Remaining"] for response in mine] == ["1", "0", "0"]
    assert mine[2].headers["X-RateLimit-Burst-Capacity"] == "2"
    assert other.ok
    assert len(upstream.seen) == 3


def test_what_a_rule_blocks_is_refused_and_the_actuator_stays_open(shop: Shop) -> None:
    upstream = shop.upstream()
    shop.tokens.refresh()
    configure(
        shop,
        route("order-service"),
        **{
            "fusebox.gateway.blocked[0].id": "everybody",
            "fusebox.gateway.blocked[0].predicates[0]": "RemoteAddr=127.0.0.0/8",
        },
    )

    check(shop.call("/order-service/x"), 403, "blocked")
    assert upstream.seen == []
    assert shop.call("/actuator/health/liveness").ok


def test_a_route_for_everything_does_not_hide_the_actuator(shop: Shop) -> None:
    shop.upstream()
    configure(shop, route("order-service", predicates=["Path=/**"]))

    assert shop.call("/x").json()["path"] == "/"
    assert shop.call("/actuator/health/liveness").json()["status"] == "UP"


def test_another_service_answers_for_one_that_is_away(shop: Shop) -> None:
    shop.upstream(saying("instead"), "catalog-service")
    configure(shop, route("order-service", "CircuitBreaker=orders, lb://catalog-service"))

    with refusing() as port:
        shop.knows(port)
        answer = shop.call("/order-service/x", "POST", data=b"x")

    assert answer.text == "instead"
    assert shop.process.breakers.known("orders")


def test_a_status_is_asked_again_within_the_budget_and_the_service_knows(shop: Shop) -> None:
    async def second_time(request: web.BaseRequest) -> web.StreamResponse:
        status = 200 if "X-Request-Attempt" in request.headers else 502
        return web.Response(status=status)

    upstream = shop.upstream(second_time)
    configure(shop, route("order-service", "Retry=3, BAD_GATEWAY, GET"))

    assert shop.call("/order-service/x").status_code == 200
    # One was saved up at the start, and a call adds a tenth of one.
    assert shop.call("/order-service/y").status_code == 502
    assert len(upstream.seen) == 3


def test_a_route_may_take_larger_bodies_than_others(shop: Shop) -> None:
    shop.upstream()
    configure(shop, route("order-service", "RequestSize=5B"), route("catalog-service"))

    assert shop.call("/order-service/x", "POST", data=b"12345").ok
    check(shop.call("/order-service/x", "POST", data=b"123456"), 413, "body-too-large")


def test_a_filter_names_another_host_and_a_status_without_a_body(shop: Shop) -> None:
    seen: list[str | None] = []

    async def long(request: web.BaseRequest) -> web.StreamResponse:
        seen.append(",".join(request.headers.getall("Host")))
        return web.Response(body=b"x" * 300_000)

    shop.upstream(long)
    configure(
        shop, route("order-service", "SetRequestHeader=Host, shop.example", "SetStatus=NO_CONTENT")
    )

    answers = [shop.call("/order-service/x") for _ in range(2)]

    assert [(response.status_code, response.content) for response in answers] == [(204, b"")] * 2
    assert seen == ["shop.example"] * 2


def test_a_wrong_route_is_refused_and_the_old_ones_stay(shop: Shop) -> None:
    shop.upstream()
    old = dict(shop.source)
    shop.source["spring.cloud.gateway.routes[0].filters[1]"] = "Retry=1,500,POST"

    with pytest.raises(ConfigurationError) as refused:
        shop.configuration.refresh()

    said = "route order-service: filters[1]: 'Retry=1,500,POST': methods: 'POST'"
    assert said in str(refused.value)
    assert shop.call("/order-service/x").ok
    shop.source = old

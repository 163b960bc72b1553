"""Who is the client, as the service and the limits see it, with a proxy before the gateway."""

from typing import Any

import pytest

from chassis.config.client import ConfigurationError

from .conftest import Shop
from .routes import configure, route
from .test_forwarding import headers_seen

CLIENT = "203.0.113.9"
AT = "fusebox.gateway.rate-limits.client."
RATE: dict[str, Any] = {AT + "replenish-rate": 0.01, AT + "burst-capacity": 2}
KEYS = (
    "spring.cloud.gateway.trusted-proxies",
    "spring.cloud.gateway.server.webflux.trusted-proxies",
)


def trust(shop: Shop, proxies: str, key: str = KEYS[0]) -> None:
    shop.source |= {key: proxies} | RATE
    shop.configuration.refresh()


def statuses(shop: Shop, *clients: str) -> list[int]:
    return [
        shop.call("/order-service/x", headers={"X-Forwarded-For": client}).status_code
        for client in clients
    ]


def test_without_a_proxy_that_is_trusted_nobody_says_who_it_is(shop: Shop) -> None:
    shop.upstream()
    said = {
        **{"X-Forwarded-For": CLIENT, "Forwarded": f"for={CLIENT}", "X-Real-IP": CLIENT},
        **{"X_Forwarded_For": CLIENT, "X-Forwarded-Proto": "https", "X-Forwarded-Port": "443"},
    }

    seen = headers_seen(shop.call("/order-service/x", headers=said))

    assert seen["x-forwarded-for"] == ["127.0.0.1"]
    assert seen["x-forwarded-proto"] == ["http"]
    assert CLIENT not in str(seen)
    assert "x-forwarded-port" not in seen
    shop.source |= RATE
    shop.configuration.refresh()
    assert statuses(shop, "1.1.1.1", "2.2.2.2", "3.3.3.3") == [200, 200, 429]


@pytest.mark.parametrize("key", KEYS)
def test_behind_a_trusted_proxy_its_clients_are_counted_one_by_one(shop: Shop, key: str) -> None:
    shop.upstream()
    trust(shop, "127.0.0.0/8", key)

    seen = headers_seen(
        shop.call(
            "/order-service/x",
            headers={"X-Forwarded-For": f"evil, {CLIENT}, 127.0.0.7", "X-Forwarded-Proto": "https"},
        )
    )

    assert seen["x-forwarded-for"] == [f"{CLIENT}, 127.0.0.7, 127.0.0.1"]
    assert seen["x-forwarded-proto"] == ["https"]
    assert seen["forwarded"][0].startswith(f'for="{CLIENT}", for="127.0.0.7", proto=https;')
    own = [f"{number}.9.9.9, {CLIENT}" for number in range(3)]
    assert statuses(shop, *own, "8.8.8.8") == [200, 429, 429, 200]


def test_a_route_sees_the_client_and_not_the_proxy(shop: Shop) -> None:
    shop.upstream()
    inside = route(
        "order-service", predicates=["Path=/order-service/**", "RemoteAddr=203.0.113.0/24"]
    )
    configure(shop, inside, **{KEYS[0]: r"127\.0\.0\.\d+"})

    assert statuses(shop, CLIENT, "8.8.8.8") == [200, 404]


def test_a_proxy_is_no_client_that_has_too_many_connections(shop: Shop) -> None:
    shop.upstream()
    shop.source["fusebox.gateway.max-connections-per-client"] = 1
    trust(shop, "127.0.0.1")

    with shop.raw(), shop.raw():
        assert statuses(shop, CLIENT) == [200]


def test_proxies_that_are_none_are_refused(shop: Shop) -> None:
    with pytest.raises(ConfigurationError, match="trusted-proxies"):
        trust(shop, "10.0.0.(")

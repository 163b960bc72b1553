"""Rates of the whole shop, as a client meets them at the gateway."""

import re
from typing import Any

import pytest

from chassis.config.client import ConfigurationError

from .conftest import Shop
from .test_refusals import check

LOGIN = "/user-service/login"
POLICIES = {
    "client.replenish-rate": 1,
    "client.burst-capacity": 8,
    "user.key-resolver": "user",
    "user.replenish-rate": 1,
    "user.burst-capacity": 3,
    "login.predicates[0]": f"Path={LOGIN}",
    "login.predicates[1]": "Method=POST",
    "login.replenish-rate": 0.1,
    "login.burst-capacity": 2,
}
AT = "fusebox.gateway.rate-limits."


def limit(shop: Shop, **changed: Any) -> None:
    shop.source |= {AT + key: value for key, value in (POLICIES | changed).items()}
    shop.configuration.refresh()


def test_a_flood_of_logins_is_limited_and_its_client_sees_why(shop: Shop) -> None:
    limit(shop)

    answers = [shop.call(path, "POST") for path in (LOGIN, "//user-service/%6cogin", LOGIN)]

    assert [answer.status_code for answer in answers] == [404, 404, 429]  # there is no such service
    check(answers[2], 429, "rate-limited")
    assert answers[2].headers["Retry-After"] == "10"
    assert answers[2].json()["violated-policies"] == ["login"]
    assert answers[2].headers["RateLimit-Policy"] == '"client";q=8;w=8, "login";q=2;w=20'
    assert re.fullmatch(r'"client";r=5;t=1, "login";r=0;t=(9|10)', answers[2].headers["RateLimit"])
    assert shop.call("/order-service/x").status_code == 503  # which is another limit's business


def test_every_answer_says_what_is_left(shop: Shop) -> None:
    limit(shop)
    shop.tokens.refresh()
    shop.upstream()

    fine = shop.call("/order-service/x", headers=shop.token())
    unknown = shop.call("/nowhere")
    forged = shop.call("/order-service/x", headers={"Authorization": "Bearer forged"})

    assert fine.headers["RateLimit"] == '"client";r=7;t=1, "user";r=2;t=1'
    assert unknown.headers["RateLimit"].startswith('"client";r=6')
    assert forged.status_code == 401
    assert forged.headers["RateLimit"].startswith('"client";r=5')


def test_a_user_is_limited_wherever_it_comes_from(shop: Shop) -> None:
    limit(shop)
    shop.tokens.refresh()
    shop.upstream()

    own = [shop.call("/order-service/x", headers=shop.token()).status_code for _ in range(4)]
    other = shop.call("/order-service/x", headers=shop.token(sub="v"))

    assert own == [200, 200, 200, 429]
    assert other.status_code == 200


def test_a_client_that_is_over_its_rate_costs_no_look_at_its_token(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    limit(shop, **{"client.burst-capacity": 1})
    shop.tokens.refresh()
    shop.call("/order-service/x")

    monkeypatch.setattr(shop.tokens, "caller_of", None)

    check(shop.call("/order-service/x", headers=shop.token()), 429, "rate-limited")


def test_health_is_answered_in_any_case(shop: Shop) -> None:
    limit(shop, **{"client.burst-capacity": 1})

    statuses = [shop.call("/actuator/health/liveness").status_code for _ in range(5)]

    assert statuses == [200] * 5


def test_a_rate_is_changed_live(shop: Shop) -> None:
    limit(shop, **{"client.burst-capacity": 1})
    assert [shop.call("/nowhere").status_code for _ in range(2)] == [404, 429]

    limit(shop, **{"client.enabled": "false"})

    assert "RateLimit" not in shop.call("/nowhere").headers


def test_a_wrong_rate_is_refused_and_the_last_one_stays(shop: Shop) -> None:
    limit(shop)

    with pytest.raises(ConfigurationError) as refused:
        limit(shop, **{"login.predicates[0]": "Path=login"})

    assert "rate-limits.login.predicates: [0]: 'Path=login'" in str(refused.value)
    assert [shop.call(LOGIN, "POST").status_code for _ in range(3)] == [404, 404, 429]


def test_a_route_with_a_rate_of_its_own_says_so_beside_the_others(shop: Shop) -> None:
    limit(shop)
    shop.source["spring.cloud.gateway.routes[0].filters[1]"] = "RequestRateLimiter=1, 2, address"
    shop.configuration.refresh()
    shop.upstream()

    answers = [shop.call("/order-service/x") for _ in range(3)]

    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert answers[0].headers["RateLimit-Policy"] == ('"client";q=8;w=8, "order-service";q=2;w=2')
    assert answers[2].headers["X-RateLimit-Remaining"] == "0"

"""A flood of logins is limited, by a rate that is changed while the shop runs."""

from typing import Any

import requests

LOGIN = "fusebox.gateway.rate-limits.login"
SLOW = {f"{LOGIN}.replenish-rate": "0.1", f"{LOGIN}.burst-capacity": "3"}


def log_in(shop: Any) -> requests.Response:
    credentials = {"email": "nobody@example.org", "password": "not a password"}
    return requests.post(f"{shop.gateway}/user-service/login", json=credentials, timeout=10)


def test_a_flood_of_logins_is_limited_and_the_rest_of_the_shop_is_not(shop: Any) -> None:
    usual = log_in(shop)
    assert usual.status_code == 401
    assert '"login";q=300;w=30' in usual.headers["RateLimit-Policy"]

    for key, value in SLOW.items():
        shop.run("set", "--service", "gateway", key, value)
    answers = [log_in(shop) for _ in range(6)]
    for key in SLOW:
        shop.run("set", "--service", "gateway", key)

    limited = answers[-1]
    assert limited.status_code == 429
    assert limited.json()["code"] == "rate-limited"
    assert 1 <= int(limited.headers["Retry-After"]) <= 10
    assert requests.get(f"{shop.gateway}/catalog-service/catalogs", timeout=10).ok
    shop.until(lambda: log_in(shop).status_code == 401)

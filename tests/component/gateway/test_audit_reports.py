"""What the gateway refuses comes into the audit trail, though no service hears of the request."""

import json
import threading
from typing import Any

import pytest
from aiohttp import web

from .conftest import Shop


async def take(request: web.BaseRequest) -> web.StreamResponse:
    body = await request.read()
    told.extend(json.loads(body))
    return web.Response(status=204)


told: list[dict[str, Any]] = []


@pytest.fixture(autouse=True)
def trail(shop: Shop) -> None:
    told.clear()
    shop.upstream(take, "user-service")


def report_all(shop: Shop) -> None:
    """As the background threads do at their end, in the order in which they stop."""
    over = threading.Event()
    over.set()
    workers = {worker.name: worker.run for worker in shop.process.workers._planned}
    workers["refusals"](over)
    workers["audit"](over)


def test_a_forged_token_is_told_with_the_address_and_the_trace(shop: Shop) -> None:
    shop.tokens.refresh()

    answer = shop.call("/order-service/x", headers={"Authorization": "Bearer forged"})
    report_all(shop)

    assert answer.status_code == 401
    [entry] = told
    assert (entry["action"], entry["outcome"], entry["actor"]) == ("access", "refused", None)
    assert (entry["target"], entry["source"]) == ("/order-service/x", "127.0.0.1")
    assert entry["traceId"] == answer.headers["X-Trace-Id"]


def test_a_user_on_an_inner_page_is_told_and_so_is_an_admin_who_changes_something(
    shop: Shop,
) -> None:
    shop.tokens.refresh()
    shop.upstream()
    page = "/order-service/actuator/loggers/ROOT"
    user, admin = shop.token("user", sub="ann"), shop.token("admin", sub="root")

    statuses = [
        shop.call(page, headers=user).status_code,
        shop.call(page, headers=admin).status_code,
        shop.call(page, "POST", headers=admin, json={}).status_code,
        shop.call("/actuator/refresh", "POST", headers=admin).status_code,
        shop.call("/actuator/refresh", "POST").status_code,
    ]
    report_all(shop)

    assert statuses[:2] == [403, 200]
    assert statuses[4] == 401
    told.sort(key=lambda entry: str(entry["entryId"]))
    assert [(one["action"], one["outcome"], one["actor"], one["target"]) for one in told] == [
        ("access", "refused", "ann", page),
        ("actuator", "done", "root", page),
        ("actuator", "done", "root", "/actuator/refresh"),
    ]


def test_a_token_that_has_run_out_is_nobodys_fault(shop: Shop) -> None:
    shop.tokens.refresh()
    over = shop.token("user", exp=1)

    assert shop.call("/order-service/x", headers=over).json()["code"] == "token-expired"
    report_all(shop)

    assert told == []

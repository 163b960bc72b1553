"""Kill points: a process is killed between two steps of an order, and the end is the same."""

import uuid
from collections.abc import Callable
from typing import Any

import pytest
import requests

from chassis.chaos import kill_points
from fusebox.runtime.shop_client import Customer

from . import fault_injection, kafka_records, outcomes

PRODUCT = "CATALOG-0003"
BACK_SECONDS = 30
OF_REQUESTS = (kill_points.BEFORE_COMMIT, kill_points.AFTER_COMMIT)
PLACED = [
    (service, point)
    for service in ("order-service", "catalog-service")
    for point in kill_points.ALL
    if service == "order-service" or point not in OF_REQUESTS
]
CANCELLED = [
    ("order-service", kill_points.AFTER_PUBLISH),
    ("catalog-service", kill_points.CONSUMED_BEFORE_COMMIT),
    ("catalog-service", kill_points.CONSUMED_AFTER_COMMIT),
]


@pytest.mark.parametrize(("service", "point"), PLACED)
def test_an_order_ends_the_same_when_a_process_is_killed_on_the_way(
    shop: Any, service: str, point: str
) -> None:
    customer, key = shop.customer(), str(uuid.uuid4())
    before = shop.stock(PRODUCT)

    answer = _answer_when_killed_at(
        shop, service, point, lambda: customer.place(PRODUCT, qty=2, key=key)
    )
    assert _is_allowed(answer, 201, service, point), answer.text
    # Before the commit nothing has happened, and the key lies with who has died for half a minute.
    order_id = _order_of(shop, customer, key if point != kill_points.BEFORE_COMMIT else None)

    shop.until(
        lambda: fault_injection.final_status(customer, order_id) == "CONFIRMED", BACK_SECONDS
    )
    kafka_records.await_no_lag(shop)
    assert kafka_records.decisions(shop, [order_id])[order_id] == 1
    assert [order["orderId"] for order in customer.call("GET", customer.orders).json()] == [
        order_id
    ]
    assert shop.stock(PRODUCT) == before - 2
    fault_injection.assert_verified(shop)


@pytest.mark.parametrize(("service", "point"), CANCELLED)
def test_a_cancel_ends_the_same_when_a_process_is_killed_on_the_way(
    shop: Any, service: str, point: str
) -> None:
    customer = shop.customer()
    before = shop.stock(PRODUCT)
    order_id = customer.place(PRODUCT, qty=2).json()["orderId"]
    shop.until(lambda: fault_injection.final_status(customer, order_id) == "CONFIRMED")
    # The last of its events, so that the point is reached by the cancel.
    kafka_records.await_no_lag(shop)

    answer = _answer_when_killed_at(shop, service, point, lambda: customer.cancel(order_id))
    assert _is_allowed(answer, 202, service, point), answer.text

    shop.until(lambda: shop.stock(PRODUCT) == before, BACK_SECONDS)
    shop.until(lambda: fault_injection.final_status(customer, order_id) == "CANCELLED")
    fault_injection.assert_verified(shop)


def _answer_when_killed_at(
    shop: Any, service: str, point: str, request: Callable[[], requests.Response]
) -> requests.Response:
    """Do `request`, and return its answer when the process has died at `point` and is back."""
    url, first = fault_injection.url_of(shop, service), _registered_at(shop, service)
    armed = requests.post(
        f"{url}/actuator/chaosmonkey/assaults",
        json={"killAt": point},
        headers=shop.operator(service),
        timeout=5,
    )
    assert armed.json()["killAt"] == point
    answer = request()
    shop.until(lambda: _registered_at(shop, service) not in ("", first), BACK_SECONDS)
    return answer


def _registered_at(shop: Any, service: str) -> str:
    """When it registered: the process that has the kill points, not the one that restarts it."""
    discovery = f"{shop.discovery}/eureka/apps/{service}"
    answer = requests.get(discovery, headers={"Accept": "application/json"}, timeout=5)
    if not answer.ok:
        return ""
    return str(answer.json()["application"]["instance"][0]["leaseInfo"]["registrationTimestamp"])


def _is_allowed(answer: requests.Response, usual: int, service: str, point: str) -> bool:
    """Whether the request that has a process die there may be answered so.

    order-service sends its events beside the answer to whoever caused them: when it dies of the
    one, the other may be lost.
    """
    lost = outcomes.described(answer) in outcomes.REFUSED
    if point in OF_REQUESTS:
        return lost
    return answer.status_code == usual or (lost and service == "order-service")


def _order_of(shop: Any, customer: Customer, key: str | None) -> str:
    """The order: it is asked for again with its key, as a customer would whose answer was lost."""
    answers: list[requests.Response] = []

    def is_placed() -> bool:
        answers.append(customer.place(PRODUCT, qty=2, key=key))
        return answers[-1].status_code == 201

    shop.until(is_placed, BACK_SECONDS)
    return str(answers[-1].json()["orderId"])

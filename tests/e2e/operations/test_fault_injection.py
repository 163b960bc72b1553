"""Fault injection: every fault has its effect, is shown by status, and is healed."""

import json
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests
from kafka import KafkaProducer

from ...chaos import kafka_records


@pytest.fixture(autouse=True)
def repaired_shop(shop: Any) -> Iterator[None]:
    """Leave the next test a whole shop."""
    yield
    shop.run("heal")
    customer = shop.customer()
    shop.until(lambda: customer.place(wait=1).json().get("status") == "CONFIRMED", 30)
    shop.until(lambda: "degraded" not in customer.place().json(), 30)
    shop.until(lambda: "degraded" not in customer.page().json(), 30)


def seconds_of(shop: Any) -> float:
    """What the service itself takes for an answer."""
    url = f"{shop.url_of('catalog-service')}/catalogs"
    began = time.monotonic()
    assert requests.get(url, headers=shop.operator("catalog-service"), timeout=10).ok
    return time.monotonic() - began


def test_a_slow_service_answers_late_until_it_is_healed(shop: Any) -> None:
    shop.run("slow", "catalog-service", "400")

    assert seconds_of(shop) >= 0.4
    assert shop.faults() == {"catalog-service-1": ["slow 400 ms"]}
    assert "slow 400 ms" in shop.run("heal", "catalog-service").stdout
    shop.until(lambda: seconds_of(shop) < 0.4)
    assert shop.faults() == {}


def test_a_service_that_is_stopped_finishes_its_requests(shop: Any) -> None:
    url, headers = f"{shop.url_of('catalog-service')}/catalogs", shop.operator("catalog-service")
    shop.run("slow", "catalog-service", "6500")

    with ThreadPoolExecutor() as pool:
        begun = pool.submit(requests.get, url, headers=headers, timeout=15)
        shop.run("stop", "catalog-service")
        assert begun.result().status_code == 200

    assert shop.faults() == {"catalog-service-1": ["stopped"]}


def test_a_failing_gateway_says_that_the_error_is_injected(shop: Any) -> None:
    shop.run("fail", "gateway", "1")

    refused = requests.get(f"{shop.gateway}/catalog-service/catalogs", timeout=5)

    assert (refused.status_code, refused.json()["code"]) == (500, "chaos")
    assert shop.faults() == {"gateway-1": ["fail 100 %"]}
    shop.run("heal", "gateway")
    assert requests.get(f"{shop.gateway}/catalog-service/catalogs", timeout=5).ok


def test_a_restart_ends_an_injected_fault(shop: Any) -> None:
    shop.run("slow", "order-service", "200")
    shop.kill("order-service")
    assert shop.faults() == {"order-service-1": ["killed"]}

    shop.start("order-service")

    assert shop.faults() == {}


def test_a_paused_service_is_shown_and_can_be_stopped(shop: Any) -> None:
    shop.run("pause", "order-service")
    row = shop.rows()["order-service-1"]
    assert (row["state"], row["faults"]) == ("PAUSED", ["paused"])
    # A paused process would not answer.
    assert "heal" in shop.run("slow", "order-service", "100", check=False).stderr

    shop.run("stop", "order-service")

    # Stopped in order: status would show a paused process that had to be killed as killed.
    assert shop.faults() == {"order-service-1": ["stopped"]}


def test_a_paused_service_goes_on_as_the_same_process(shop: Any) -> None:
    before = shop.rows()["catalog-service-1"]["pid"]
    shop.run("pause", "catalog-service")

    assert shop.run("heal").stdout == "catalog-service-1 goes on\n"

    row = shop.rows()["catalog-service-1"]
    assert (row["pid"], row["healthy"]) == (before, True)


def test_without_discovery_status_and_faults_still_reach_the_others(shop: Any) -> None:
    shop.kill("discovery")
    shop.run("slow", "user-service", "50")

    rows = shop.rows()

    assert rows["order-service-1"]["healthy"]
    assert shop.faults() == {"discovery-1": ["killed"], "user-service-1": ["slow 50 ms"]}


def test_with_a_slow_kafka_orders_are_decided_late_and_a_restart_ends_the_fault(shop: Any) -> None:
    customer = shop.customer()
    shop.run("slow", "kafka", "300")
    assert shop.faults() == {"kafka-1": ["throttled 300 ms"]}

    order_id = customer.place().json()["orderId"]
    shop.until(lambda: customer.order(order_id).json()["status"] == "CONFIRMED", 20)
    shop.run("stop", "kafka")

    assert shop.faults() == {"kafka-1": ["stopped"]}


def test_heal_ends_all_faults_at_once_and_lists_them(shop: Any) -> None:
    shop.run("slow", "postgres", "100")
    shop.run("pause", "kafka")
    shop.kill("zipkin")
    shop.run("fail", "user-service", "0.5")
    assert set(shop.faults()) == {"postgres-1", "kafka-1", "zipkin-1", "user-service-1"}

    output = shop.run("heal").stdout

    assert set(output.splitlines()) == {
        "postgres-1 is no longer throttled",
        "kafka-1 goes on",
        "zipkin-1 is healthy",
        "user-service-1 is no longer told to: fail 50 %",
    }
    shop.until(lambda: shop.run("status", check=False).returncode == 0)
    assert shop.faults() == {}
    assert shop.run("heal").stdout == "Nothing was broken on purpose.\n"


REFUSED = {
    ("fail", "kafka", "0.5"): "is not ours",
    ("slow", "kafka", "2000"): "1500",
    ("fail", "gateway", "50"): "0.5 is half",
    ("pause", "nobody"): "there is no part called",
}


def test_faults_that_cannot_be_injected_are_refused(shop: Any) -> None:
    with ThreadPoolExecutor(len(REFUSED)) as pool:
        refused = list(pool.map(lambda verb: shop.run(*verb, check=False), REFUSED))

    assert [refusal.returncode for refusal in refused] == [2] * len(REFUSED)
    for refusal, complaint in zip(refused, REFUSED.values(), strict=True):
        assert complaint in refusal.stderr
    assert shop.faults() == {}


def dead_letters(shop: Any) -> list[dict[str, Any]]:
    letters: list[dict[str, Any]] = json.loads(shop.run("dead", "--json").stdout)
    return letters


def send(shop: Any, topic: str, value: bytes, type_: str, *more: tuple[str, bytes]) -> str:
    """Returns the event's id."""
    id_ = str(uuid.uuid4())
    headers = [("ce_id", id_.encode()), ("ce_source", b"test"), ("ce_type", type_.encode()), *more]
    producer = KafkaProducer(bootstrap_servers=kafka_records.servers(shop))
    producer.send(topic, value, key=b"letter", headers=headers)
    producer.close()
    return id_


def times_sent(shop: Any, topic: str, id_: str) -> int:
    sent = kafka_records.records(shop, topic, ["letter"])
    return [dict(record.headers).get("ce_id") for record in sent].count(id_.encode())


def test_a_dead_letter_that_fails_again_comes_back_as_a_new_one(shop: Any) -> None:
    shop.run("replay-dead")
    send(shop, "orders", b"{no json", "order.placed")
    shop.until(lambda: "letter" in [letter["key"] for letter in dead_letters(shop)])
    [first] = [letter for letter in dead_letters(shop) if letter["key"] == "letter"]
    assert (first["topic"], first["ce_type"]) == ("orders.dead", "order.placed")
    assert "Invalid JSON" in first["dead_reason"]
    assert first["dead_from"].startswith("catalog-service orders/")

    shop.run("replay-dead")

    def later() -> list[dict[str, Any]]:
        mine = [letter for letter in dead_letters(shop) if letter["key"] == "letter"]
        return [letter for letter in mine if letter["offset"] > first["offset"]]

    shop.until(lambda: len(later()) == 1)
    assert first not in dead_letters(shop)


def test_a_dead_letter_that_can_be_handled_now_has_its_effect_once(shop: Any) -> None:
    customer = shop.customer()
    order = customer.place("CATALOG-0003", qty=3, wait=10).json()
    stock = shop.stock("CATALOG-0003")
    payload = json.dumps({"orderId": order["orderId"], "userId": customer.user_id}).encode()
    added = ("dead_reason", b"somebody was not ready"), ("dead_from", b"catalog-service orders/0/0")
    id_ = send(shop, "orders.dead", payload, "order.cancelled", *added)

    shop.run("replay-dead")
    shop.run("replay-dead")

    shop.until(lambda: shop.stock("CATALOG-0003") == stock + 3)
    # The stores must agree in the end, and the second cancel gives nothing back.
    assert customer.cancel(order["orderId"]).status_code == 202
    shop.until(lambda: customer.order(order["orderId"]).json()["status"] == "CANCELLED")
    assert shop.stock("CATALOG-0003") == stock + 3
    assert times_sent(shop, "orders", id_) == 1

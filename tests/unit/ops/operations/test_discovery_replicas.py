"""Replicas of discovery: who is told of whom, in which order, and what a failure leaves."""

from dataclasses import replace
from typing import Any

import pytest

from fusebox.core.errors import Fault
from fusebox.core.stack import Stack
from fusebox.network.http import HttpResponse
from fusebox.operations import discovery_replicas
from fusebox.operations.configuration import settings
from fusebox.runtime import health
from fusebox.state import config_overlay, eureka_zone

from ..fake_supervisor import ShopWithFakes

FIRST = "http://127.0.0.1:8761"


class ShopWithReplicas(ShopWithFakes):
    """Its processes take what they are told, and it is written down with what is done."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, stack: Stack) -> None:
        super().__init__(monkeypatch, stack)
        self.supervisor = self.with_()
        monkeypatch.setattr(settings, "set_key", self._set)

    def _set(self, stack: Stack, key: str, value: str | None, service: str | None) -> None:
        assert (key, service) == (eureka_zone.KEY, None)
        self.supervisor.asked.append(f"tell {len(value.split(',')) if value else 1}")
        config_overlay.change(config_overlay.file(stack), {key: value})

    def known(self) -> list[str]:
        return list(eureka_zone.urls(self.stack))


@pytest.fixture
def shop(monkeypatch: pytest.MonkeyPatch, stack: Stack) -> ShopWithReplicas:
    stack.make_folders()
    return ShopWithReplicas(monkeypatch, stack)


def test_all_are_told_before_a_replica_starts_and_before_one_ends(shop: ShopWithReplicas) -> None:
    assert discovery_replicas.scale(shop.stack, 2) == ["discovery-1", "discovery-2"]
    assert discovery_replicas.scale(shop.stack, 1) == ["discovery-1"]

    assert shop.supervisor.asked == [
        "tell 2",
        "add discovery-2",
        "start discovery-2",
        "tell 1",
        "stop discovery-2",
        "remove discovery-2",
    ]
    assert shop.known() == ["discovery-1"]


def test_who_is_there_stays_where_it_is_and_the_dead_are_brought_back(
    shop: ShopWithReplicas,
) -> None:
    discovery_replicas.scale(shop.stack, 2)
    before = eureka_zone.urls(shop.stack)
    shop.supervisor.kill("discovery-1")

    discovery_replicas.scale(shop.stack, 3)

    after = eureka_zone.urls(shop.stack)
    assert before.items() <= after.items()
    assert len(set(after.values())) == 3
    assert shop.supervisor.known["discovery-1"].is_running


def test_one_that_does_not_start_is_forgotten_by_all(shop: ShopWithReplicas) -> None:
    shop.supervisor.refuses_to_start = {"discovery-2"}
    with pytest.raises(Fault, match="discovery-2 does not start"):
        discovery_replicas.scale(shop.stack, 2)

    assert shop.known() == ["discovery-1"]
    assert "discovery-2" not in shop.supervisor.known


def test_the_one_that_answers_is_asked(
    shop: ShopWithReplicas, monkeypatch: pytest.MonkeyPatch
) -> None:
    discovery_replicas.scale(shop.stack, 2)
    second = eureka_zone.urls(shop.stack)["discovery-2"]
    asked: list[str] = []

    def get(url: str, **_: Any) -> HttpResponse:
        asked.append(url)
        return (
            HttpResponse(200, b'{"applications": {"application": []}}')
            if second in url
            else HttpResponse(0)
        )

    monkeypatch.undo()
    monkeypatch.setattr("fusebox.network.http.get", get)
    assert health.registered(shop.stack) == {}
    assert asked == [f"{FIRST}/eureka/apps", f"{second}/eureka/apps"]


def test_each_replica_is_asked_for_its_own_health(shop: ShopWithReplicas) -> None:
    discovery_replicas.scale(shop.stack, 2)
    second = health.address(shop.stack, "discovery-2", {})

    assert second
    assert second.url == eureka_zone.urls(shop.stack)["discovery-2"] != FIRST


def test_several_containers_are_known_by_their_own_names(stack: Stack) -> None:
    inside = replace(stack, mode="inside")
    assert eureka_zone.urls(inside) == {"discovery-1": "http://discovery:8761"}

    names = [f"http://fusebox-discovery-{number}:8761" for number in (1, 2)]
    stack.make_folders()
    config_overlay.change(config_overlay.file(inside), {eureka_zone.KEY: eureka_zone.value(names)})

    assert list(eureka_zone.urls(inside).values()) == names
    assert health.address(inside, "discovery-2", {}) == health.Endpoint("fusebox-discovery-2", 8761)


def test_a_shop_that_comes_up_has_one(shop: ShopWithReplicas) -> None:
    discovery_replicas.scale(shop.stack, 2)

    eureka_zone.forget(shop.stack)

    assert shop.known() == ["discovery-1"]

"""The cached lists are rendered again when they must be, and only then."""

import asyncio
import gzip
import json
from dataclasses import replace
from typing import Any

import pytest

from discovery.eureka import serialize
from discovery.eureka.response_cache import LARGE_LIST, SLICE, CachedPayload, EurekaResponseCache
from discovery.registry.models import DataCenter, InstanceInfo, Lease, RegistryClock
from discovery.registry.registry import Registry
from discovery.registry.rules import LeaseRules

PROBE = InstanceInfo("PROBE", "h:1", "h", "127.0.0.1", DataCenter("MyOwn"))
RENDERER = serialize.JsonRenderer()


class ServedLists:
    def __init__(self) -> None:
        self.now = 1_000.0
        clock = RegistryClock(lambda: self.now, lambda: self.now)
        self.rules = LeaseRules()
        self.registry = Registry(clock, lambda: self.rules)
        self.cache = EurekaResponseCache(self.registry, clock)

    def all(self, renderer: serialize.Renderer = RENDERER) -> CachedPayload:
        return asyncio.run(self.cache.all(renderer))

    def fill(self, number: int) -> None:
        for index in range(number):
            self.registry.register(replace(PROBE, instance_id=f"h:{index}"))


def instances(payload: CachedPayload) -> list[dict[str, Any]]:
    applications = json.loads(payload.body)["applications"]["application"]
    return [instance for application in applications for instance in application["instance"]]


@pytest.fixture
def rendered(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The ids of rendered instances, in order."""
    ids: list[str] = []
    real = serialize.JsonRenderer.fragment

    def counted(renderer: serialize.JsonRenderer, lease: Lease) -> bytes:
        ids.append(lease.instance.id)
        return real(renderer, lease)

    monkeypatch.setattr(serialize.JsonRenderer, "fragment", counted)
    return ids


def test_a_list_is_rendered_once_while_nothing_changes() -> None:
    lists = ServedLists()

    assert lists.all() is lists.all()


def test_each_format_has_its_own_list() -> None:
    lists = ServedLists()
    lists.fill(1)

    bodies = {
        lists.all(renderer).body
        for compact in (False, True)
        for renderer in (serialize.JsonRenderer(compact), serialize.XmlRenderer(compact))
    }

    assert len(bodies) == 4


def test_only_changed_instances_of_a_long_list_are_rendered_again(rendered: list[str]) -> None:
    lists = ServedLists()
    lists.fill(5)
    lists.all()
    rendered.clear()

    lists.registry.register(replace(PROBE, instance_id="h:3", metadata={"new": "yes"}))
    payload = lists.all()

    assert rendered == ["h:3"]
    assert [instance["metadata"].get("new") for instance in instances(payload)].count("yes") == 1


def test_a_heartbeat_shows_within_a_second_and_renders_no_list_earlier(
    rendered: list[str],
) -> None:
    lists = ServedLists()
    lists.fill(3)
    first = lists.all()
    rendered.clear()

    lists.now += 0.5
    lists.registry.renew("PROBE", "h:1")
    assert lists.all() is first
    lists.now += 0.5
    shown = instances(lists.all())

    assert rendered == ["h:1"]
    assert shown[1]["leaseInfo"]["lastRenewalTimestamp"] == 1_000_500


def test_heartbeats_alone_cost_a_hundredth_of_the_time_at_most() -> None:
    lists = ServedLists()
    lists.fill(1)
    payload = lists.all()
    payload.heartbeats_cost = 0.2

    lists.registry.renew("PROBE", "h:0")
    lists.now += 19
    assert lists.all() is payload
    lists.now += 1.1
    assert lists.all() is not payload


def test_an_empty_delta_is_not_rendered_again_for_heartbeats() -> None:
    lists = ServedLists()
    lists.fill(1)
    lists.now += lists.rules.delta_seconds + 1
    lists.registry.renew("PROBE", "h:0")
    lists.registry.sweep()
    payload = asyncio.run(lists.cache.delta(RENDERER))

    lists.registry.renew("PROBE", "h:0")
    lists.now += 10
    assert asyncio.run(lists.cache.delta(RENDERER)) is payload
    assert instances(payload) == []


def test_a_change_shows_at_once_in_a_short_list_and_soon_in_a_long_one() -> None:
    lists = ServedLists()
    lists.fill(1)
    payload = lists.all()
    payload.cost = 0.5
    lists.fill(2)
    short = lists.all()
    short.cost, short.instances = 0.5, LARGE_LIST + 1

    lists.fill(3)
    assert len(instances(short)) == 2
    assert lists.all() is short
    lists.now += 5.1
    assert len(instances(lists.all())) == 3


def test_the_event_loop_goes_on_while_a_long_list_is_rendered() -> None:
    lists = ServedLists()
    lists.fill(4 * SLICE)
    turns = 0

    async def other() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    async def fetch() -> None:
        beside = asyncio.create_task(other())
        await lists.cache.all(RENDERER)
        beside.cancel()

    asyncio.run(fetch())

    assert turns >= 4


def test_a_change_while_a_list_is_rendered_is_in_it_and_in_its_hash_code() -> None:
    lists = ServedLists()
    lists.fill(2 * SLICE)

    async def fetch() -> CachedPayload:
        making = asyncio.create_task(lists.cache.delta(RENDERER))
        await asyncio.sleep(0)
        lists.registry.cancel("PROBE", "h:0")
        lists.registry.register(replace(PROBE, instance_id="late"))
        return await making

    payload = asyncio.run(fetch())
    listed = json.loads(payload.body)["applications"]
    actions = {instance["instanceId"]: instance["actionType"] for instance in instances(payload)}

    assert listed["apps__hashcode"] == f"UP_{2 * SLICE}_"
    assert listed["versions__delta"] == str(lists.registry.version)
    assert (actions["h:0"], actions["late"]) == ("DELETED", "ADDED")


def test_concurrent_requests_are_answered_with_one_rendered_list(rendered: list[str]) -> None:
    lists = ServedLists()
    lists.fill(3 * SLICE)

    async def many() -> list[CachedPayload]:
        return await asyncio.gather(*(lists.cache.all(RENDERER) for _ in range(10)))

    payloads = asyncio.run(many())

    assert len({id(payload) for payload in payloads}) == 1
    assert len(rendered) == 3 * SLICE


def test_a_list_is_compressed_once() -> None:
    lists = ServedLists()
    lists.fill(300)
    payload = lists.all()

    async def both() -> tuple[bytes, bytes]:
        return await asyncio.gather(payload.gzipped(), payload.gzipped())

    first, second = asyncio.run(both())

    assert first is second
    assert gzip.decompress(first) == payload.body

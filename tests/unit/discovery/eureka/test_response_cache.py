"""The prepared lists are made anew when they must be, and only then."""

import asyncio
import gzip
import json
from dataclasses import replace
from typing import Any

import pytest

from discovery.eureka import serialize
from discovery.eureka.response_cache import LARGE_LIST, SLICE, CachedPayload, EurekaResponseCache
from discovery.registry.models import DataCenter, InstanceInfo, Lease, RegistryClock
from discovery.registry.registry import LeaseRules, Registry

PROBE = InstanceInfo("PROBE", "h:1", "h", "127.0.0.1", DataCenter("MyOwn"))
FORM = serialize.JsonRenderer()


class Shelf:
    def __init__(self) -> None:
        self.now = 1_000.0
        clock = RegistryClock(lambda: self.now, lambda: self.now)
        self.rules = LeaseRules()
        self.registry = Registry(clock, lambda: self.rules)
        self.pages = EurekaResponseCache(self.registry, clock)

    def all(self, form: serialize.Renderer = FORM) -> CachedPayload:
        return asyncio.run(self.pages.all(form))

    def fill(self, number: int) -> None:
        for each in range(number):
            self.registry.register(replace(PROBE, instance_id=f"h:{each}"))


def instances(page: CachedPayload) -> list[dict[str, Any]]:
    applications = json.loads(page.body)["applications"]["application"]
    return [instance for application in applications for instance in application["instance"]]


@pytest.fixture
def rendered(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The ids of what was rendered, one after the other."""
    found: list[str] = []
    real = serialize.JsonRenderer.fragment

    def counted(form: serialize.JsonRenderer, lease: Lease) -> bytes:
        found.append(lease.instance.id)
        return real(form, lease)

    monkeypatch.setattr(serialize.JsonRenderer, "fragment", counted)
    return found


def test_a_list_is_made_once_while_nothing_changes() -> None:
    shelf = Shelf()

    assert shelf.all() is shelf.all()


def test_each_form_has_its_own_list() -> None:
    shelf = Shelf()
    shelf.fill(1)

    bodies = {
        shelf.all(form).body
        for compact in (False, True)
        for form in (serialize.JsonRenderer(compact), serialize.XmlRenderer(compact))
    }

    assert len(bodies) == 4


def test_of_a_long_list_only_what_changed_is_rendered_anew(rendered: list[str]) -> None:
    shelf = Shelf()
    shelf.fill(5)
    shelf.all()
    rendered.clear()

    shelf.registry.register(replace(PROBE, instance_id="h:3", metadata={"new": "yes"}))
    page = shelf.all()

    assert rendered == ["h:3"]
    assert [each["metadata"].get("new") for each in instances(page)].count("yes") == 1


def test_a_heartbeat_shows_within_a_second_and_makes_no_new_list_before(
    rendered: list[str],
) -> None:
    shelf = Shelf()
    shelf.fill(3)
    first = shelf.all()
    rendered.clear()

    shelf.now += 0.5
    shelf.registry.renew("PROBE", "h:1")
    assert shelf.all() is first
    shelf.now += 0.5
    shown = instances(shelf.all())

    assert rendered == ["h:1"]
    assert shown[1]["leaseInfo"]["lastRenewalTimestamp"] == 1_000_500


def test_heartbeats_alone_cost_a_hundredth_of_the_time_at_most() -> None:
    shelf = Shelf()
    shelf.fill(1)
    page = shelf.all()
    page.heartbeats_cost = 0.2

    shelf.registry.renew("PROBE", "h:0")
    shelf.now += 19
    assert shelf.all() is page
    shelf.now += 1.1
    assert shelf.all() is not page


def test_a_delta_of_nothing_is_not_made_anew_for_heartbeats() -> None:
    shelf = Shelf()
    shelf.fill(1)
    shelf.now += shelf.rules.delta_seconds + 1
    shelf.registry.renew("PROBE", "h:0")
    shelf.registry.sweep()
    page = asyncio.run(shelf.pages.delta(FORM))

    shelf.registry.renew("PROBE", "h:0")
    shelf.now += 10
    assert asyncio.run(shelf.pages.delta(FORM)) is page
    assert instances(page) == []


def test_a_change_shows_at_once_in_a_short_list_and_soon_in_a_long_one() -> None:
    shelf = Shelf()
    shelf.fill(1)
    page = shelf.all()
    page.cost = 0.5
    shelf.fill(2)
    short = shelf.all()
    short.cost, short.instances = 0.5, LARGE_LIST + 1

    shelf.fill(3)
    assert len(instances(short)) == 2
    assert shelf.all() is short
    shelf.now += 5.1
    assert len(instances(shelf.all())) == 3


def test_the_event_loop_goes_on_while_a_long_list_is_made() -> None:
    shelf = Shelf()
    shelf.fill(4 * SLICE)
    turns = 0

    async def other() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    async def fetch() -> None:
        beside = asyncio.create_task(other())
        await shelf.pages.all(FORM)
        beside.cancel()

    asyncio.run(fetch())

    assert turns >= 4


def test_what_changes_while_a_list_is_made_is_in_it_and_in_its_hash_code() -> None:
    shelf = Shelf()
    shelf.fill(2 * SLICE)

    async def fetch() -> CachedPayload:
        making = asyncio.create_task(shelf.pages.delta(FORM))
        await asyncio.sleep(0)
        shelf.registry.cancel("PROBE", "h:0")
        shelf.registry.register(replace(PROBE, instance_id="late"))
        return await making

    page = asyncio.run(fetch())
    listed = json.loads(page.body)["applications"]
    found = {each["instanceId"]: each["actionType"] for each in instances(page)}

    assert listed["apps__hashcode"] == f"UP_{2 * SLICE}_"
    assert listed["versions__delta"] == str(shelf.registry.version)
    assert (found["h:0"], found["late"]) == ("DELETED", "ADDED")


def test_many_who_ask_at_once_are_answered_with_one_list(rendered: list[str]) -> None:
    shelf = Shelf()
    shelf.fill(3 * SLICE)

    async def many() -> list[CachedPayload]:
        return await asyncio.gather(*(shelf.pages.all(FORM) for _ in range(10)))

    pages = asyncio.run(many())

    assert len({id(page) for page in pages}) == 1
    assert len(rendered) == 3 * SLICE


def test_a_list_is_packed_once() -> None:
    shelf = Shelf()
    shelf.fill(300)
    page = shelf.all()

    async def both() -> tuple[bytes, bytes]:
        return await asyncio.gather(page.gzipped(), page.gzipped())

    first, second = asyncio.run(both())

    assert first is second
    assert gzip.decompress(first) == page.body

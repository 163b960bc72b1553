"""The rules of leases and overrides."""

from dataclasses import replace

import pytest

from discovery.registry.models import (
    ActionType,
    DataCenter,
    InstanceInfo,
    InstanceStatus,
    RegistryClock,
)
from discovery.registry.registry import Registry
from discovery.registry.rules import LeaseRules


class Time:
    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


def probe(
    id_: str = "h:1", status: InstanceStatus = InstanceStatus.UP, last_dirty: int | None = None
) -> InstanceInfo:
    return InstanceInfo(
        app="PROBE",
        instance_id=id_,
        host_name="h",
        ip_addr="127.0.0.1",
        data_center=DataCenter("MyOwn"),
        status=status,
        duration_seconds=2,
        last_dirty=last_dirty,
    )


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def registry(time: Time) -> Registry:
    return Registry(
        RegistryClock(time, time), lambda: LeaseRules(sweep_seconds=1, delta_seconds=180)
    )


def status(registry: Registry, id_: str = "h:1") -> InstanceStatus:
    lease = registry.instance("PROBE", id_)
    assert lease
    return lease.status


def test_a_lease_that_was_never_renewed_lives_its_duration_once(
    registry: Registry, time: Time
) -> None:
    registry.register(probe())

    time.now += 2
    assert registry.instance("probe", "h:1")
    time.now += 0.01
    assert registry.instance("probe", "h:1") is None


def test_a_lease_that_was_renewed_lives_twice_its_duration(registry: Registry, time: Time) -> None:
    registry.register(probe())
    time.now += 1
    registry.renew("PROBE", "h:1")

    time.now += 4
    assert registry.instance("PROBE", "h:1")
    time.now += 0.01
    assert registry.instance("PROBE", "h:1") is None


def test_a_lapsed_lease_stays_in_the_list_until_the_sweep(registry: Registry, time: Time) -> None:
    registry.register(probe())
    time.now += 0.9
    registry.sweep()
    time.now += 1.2

    assert registry.application("PROBE")
    registry.sweep()
    assert registry.application("PROBE") == []
    assert registry.instance_by_id("h:1") is None
    assert registry.leases() == []


def test_a_heartbeat_revives_a_lease_that_has_lapsed_but_was_not_swept(
    registry: Registry, time: Time
) -> None:
    registry.register(probe())
    time.now += 3

    assert registry.renew("PROBE", "h:1")
    assert registry.instance("PROBE", "h:1")


def test_a_corrected_wall_clock_ends_no_lease(time: Time) -> None:
    wall = Time()
    registry = Registry(RegistryClock(wall, time))
    registry.register(probe())

    wall.now += 3_600
    time.now += 1
    registry.sweep()

    assert registry.instance("PROBE", "h:1")


def test_a_heartbeat_with_a_newer_last_dirty_timestamp_demands_a_registration(
    registry: Registry,
) -> None:
    registry.register(probe(last_dirty=100))

    assert registry.renew("PROBE", "h:1", 99)
    assert registry.renew("PROBE", "h:1", 100)
    assert not registry.renew("PROBE", "h:1", 101)


def test_an_older_registration_does_not_replace_a_newer_one(registry: Registry) -> None:
    registry.register(replace(probe(last_dirty=200), metadata={"version": "new"}))

    lease = registry.register(replace(probe(last_dirty=100), metadata={"version": "old"}))

    assert lease.instance.metadata == {"version": "new"}
    assert lease.last_dirty == 200


def test_an_instance_may_register_as_down_and_as_up_again(registry: Registry) -> None:
    statuses = []
    for registered in (
        InstanceStatus.STARTING,
        InstanceStatus.UP,
        InstanceStatus.DOWN,
        InstanceStatus.UP,
    ):
        registry.register(probe(status=registered))
        statuses.append(status(registry))

    assert statuses == [
        InstanceStatus.STARTING,
        InstanceStatus.UP,
        InstanceStatus.DOWN,
        InstanceStatus.UP,
    ]


def test_out_of_service_in_a_registration_is_ignored_on_a_lease_that_is_up(
    registry: Registry,
) -> None:
    registry.register(probe())
    registry.register(probe(status=InstanceStatus.OUT_OF_SERVICE))

    assert status(registry) is InstanceStatus.UP


def test_an_override_outlives_registrations_and_heartbeats_but_not_the_lease(
    registry: Registry,
) -> None:
    registry.register(probe())
    registry.override_status("PROBE", "h:1", InstanceStatus.OUT_OF_SERVICE)
    registry.register(probe())
    registry.renew("PROBE", "h:1")
    held = status(registry)

    registry.cancel("PROBE", "h:1")
    registry.register(probe())

    assert held is InstanceStatus.OUT_OF_SERVICE
    assert status(registry) is InstanceStatus.UP


def test_an_override_to_the_current_status_is_not_recorded(registry: Registry) -> None:
    registry.register(probe())
    version = registry.version

    assert registry.override_status("PROBE", "h:1", InstanceStatus.UP)
    registry.register(probe(status=InstanceStatus.DOWN))

    assert status(registry) is InstanceStatus.DOWN
    assert registry.version == version + 1


def test_removing_an_override_that_is_not_there_changes_nothing(registry: Registry) -> None:
    registry.register(probe())

    assert registry.remove_override("PROBE", "h:1", InstanceStatus.UNKNOWN)

    assert status(registry) is InstanceStatus.UP


def test_the_delta_has_each_instance_once_with_its_last_action(
    registry: Registry, time: Time
) -> None:
    registry.register(probe("a"))
    registry.register(probe("b"))
    registry.override_status("PROBE", "a", InstanceStatus.DOWN)
    registry.cancel("PROBE", "b")

    delta = {lease.instance.id: lease.action for lease in registry.delta()}

    assert delta == {"a": ActionType.MODIFIED, "b": ActionType.DELETED}


def test_the_delta_drops_changes_after_its_retention_time(registry: Registry, time: Time) -> None:
    registry.register(probe("a"))
    registry.cancel("PROBE", "a")

    time.now += 180
    registry.sweep()
    assert registry.changes == 1
    time.now += 1
    registry.sweep()
    assert registry.delta() == []


def test_a_heartbeat_is_not_a_change(registry: Registry) -> None:
    registry.register(probe())
    version = registry.version

    registry.renew("PROBE", "h:1")

    assert (registry.version, registry.heartbeats) == (version, 1)


def test_without_an_instance_id_the_host_name_is_the_id(registry: Registry) -> None:
    registry.register(replace(probe(), instance_id=None))

    assert registry.instance("PROBE", "h")

"""What replicas send one another, and what is pending after an outage."""

import json
from dataclasses import replace
from typing import Any

import pytest

from discovery.registry.models import DataCenter, InstanceInfo, InstanceStatus, RegistryClock
from discovery.registry.registry import Registry
from discovery.replication import protocol
from discovery.replication.pending_changes import PendingChanges, ReplicationBatch
from discovery.replication.protocol import ReplicationAction, ReplicationEvent

PROBE = InstanceInfo("PROBE", "h:1", "h", "127.0.0.1", DataCenter("MyOwn"), last_dirty=100)
KEY = ("PROBE", "h:1")


class Time:
    now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def registry(time: Time) -> Registry:
    return Registry(RegistryClock(time, time))


@pytest.fixture
def pending(registry: Registry, time: Time) -> PendingChanges:
    return PendingChanges(registry, RegistryClock(time, time))


def members(batch: ReplicationBatch) -> list[dict[str, Any]]:
    documents: list[dict[str, Any]] = json.loads(batch.body)["replicationList"]
    return documents


def actions(pending: PendingChanges) -> list[str]:
    return [member["action"] for member in members(pending.take(100))]


def test_a_registration_is_replicated_in_the_format_of_netflixs_server(
    registry: Registry, pending: PendingChanges
) -> None:
    registry.register(PROBE)
    pending.add(ReplicationAction.REGISTER, KEY)

    (member,) = members(pending.take(100))
    info = member.pop("instanceInfo")

    assert member == {
        "appName": "PROBE",
        "id": "h:1",
        "lastDirtyTimestamp": 100,
        "overriddenStatus": "UNKNOWN",
        "status": "UP",
        "action": "Register",
    }
    assert (info["instanceId"], info["lastDirtyTimestamp"]) == ("h:1", "100")


def test_a_replicated_registration_and_override_arrive_unchanged(
    registry: Registry, pending: PendingChanges, time: Time
) -> None:
    registry.register(replace(PROBE, metadata={"zone": "a"}))
    registry.override_status(*KEY, InstanceStatus.OUT_OF_SERVICE)
    pending.add(ReplicationAction.REGISTER, KEY)
    pending.add(ReplicationAction.STATUS_UPDATE, KEY)
    other = Registry(RegistryClock(time, time))

    batch = pending.take(100)
    answers = [protocol.apply(other, protocol.read_member(member)) for member in members(batch)]

    assert [answer["statusCode"] for answer in answers] == [200, 200]
    lease = other.instance(*KEY)
    assert lease
    assert lease.instance.metadata == {"zone": "a"}
    assert (lease.status, lease.own_status) == (InstanceStatus.OUT_OF_SERVICE, InstanceStatus.UP)


@pytest.mark.parametrize(
    ("added", "sent"),
    [
        (["Heartbeat", "Heartbeat"], ["Heartbeat"]),
        (["Heartbeat", "Register", "Heartbeat"], ["Register"]),
        (["StatusUpdate", "Register"], ["Register", "StatusUpdate"]),
        (["StatusUpdate", "DeleteStatusOverride"], ["StatusUpdate"]),  # which is how it stands
        (["Register", "Register", "StatusUpdate", "StatusUpdate"], ["Register", "StatusUpdate"]),
    ],
)
def test_only_changes_that_still_count_are_sent(
    registry: Registry, pending: PendingChanges, added: list[str], sent: list[str]
) -> None:
    registry.register(PROBE)
    registry.override_status(*KEY, InstanceStatus.DOWN)

    for action in added:
        pending.add(ReplicationAction(action), KEY)

    assert actions(pending) == sent


def test_a_cancellation_replaces_earlier_changes_and_precedes_later_ones(
    registry: Registry, pending: PendingChanges
) -> None:
    lease = registry.register(PROBE)
    pending.add(ReplicationAction.REGISTER, KEY)
    registry.cancel(*KEY)
    pending.add_cancellation(lease)
    assert actions(pending) == ["Cancel"]

    registry.register(PROBE)
    pending.add_cancellation(lease)
    pending.add(ReplicationAction.REGISTER, KEY)
    assert actions(pending) == ["Cancel", "Register"]


def test_changes_that_were_not_delivered_are_merged_with_later_ones(
    registry: Registry, pending: PendingChanges
) -> None:
    registry.register(PROBE)
    pending.add(ReplicationAction.REGISTER, KEY)
    batch = pending.take(100)
    pending.add(ReplicationAction.HEARTBEAT, KEY)
    pending.add(ReplicationAction.HEARTBEAT, ("PROBE", "gone"))

    pending.put_back(batch)

    assert actions(pending) == ["Register"]
    assert len(pending) == 0


def test_an_override_that_ended_with_an_earlier_lease_is_not_sent(
    registry: Registry, pending: PendingChanges
) -> None:
    registry.register(PROBE)
    pending.add(ReplicationAction.STATUS_UPDATE, KEY)

    assert actions(pending) == ["Heartbeat"]


def test_a_long_outage_leaves_no_more_pending_changes_than_instances(
    registry: Registry, pending: PendingChanges
) -> None:
    registry.register(PROBE)

    for _ in range(1_000):
        pending.add(ReplicationAction.HEARTBEAT, KEY)
        pending.put_back(pending.take(100))

    assert len(pending) == 1


def test_a_cancellation_is_sent_no_longer_than_the_other_lease_can_live(
    registry: Registry, pending: PendingChanges, time: Time
) -> None:
    pending.add_cancellation(registry.register(replace(PROBE, duration_seconds=10)))
    registry.cancel(*KEY)

    time.now += 21

    assert actions(pending) == []


def test_large_registrations_are_split_into_batches_that_the_receiver_accepts(
    registry: Registry, pending: PendingChanges
) -> None:
    for number in range(40):
        id_ = f"h:{number}"
        registry.register(replace(PROBE, instance_id=id_, metadata={"long": "x" * 60_000}))
        pending.add(ReplicationAction.REGISTER, ("PROBE", id_))

    batches = [pending.take(250) for _ in range(3)]

    assert all(len(batch.body) < 1_100_000 for batch in batches)
    assert sum(len(batch.documents) for batch in batches) == 40


def test_a_heartbeat_for_an_unknown_instance_makes_the_sender_register_it(
    registry: Registry, pending: PendingChanges
) -> None:
    registry.register(PROBE)
    registry.override_status(*KEY, InstanceStatus.OUT_OF_SERVICE)
    pending.add(ReplicationAction.HEARTBEAT, KEY)

    pending.apply_answers(pending.take(100), [{"statusCode": 404}])

    assert actions(pending) == ["Register", "StatusUpdate"]


def test_a_heartbeat_for_an_instance_that_is_newer_at_the_replica_copies_that_one(
    registry: Registry, pending: PendingChanges, time: Time
) -> None:
    registry.register(PROBE)
    pending.add(ReplicationAction.HEARTBEAT, KEY)
    there = Registry(RegistryClock(time, time))
    there.register(replace(PROBE, last_dirty=200, metadata={"version": "new"}))

    batch = pending.take(100)
    answers = [protocol.apply(there, protocol.read_member(member)) for member in members(batch)]
    pending.apply_answers(batch, json.loads(json.dumps(answers)))

    assert answers[0]["statusCode"] == 409
    lease = registry.instance(*KEY)
    assert lease
    assert (lease.last_dirty, lease.instance.metadata) == (200, {"version": "new"})


def test_a_lapsed_instance_is_not_registered_at_the_replica(
    registry: Registry, pending: PendingChanges
) -> None:
    registry.register(PROBE)
    pending.add(ReplicationAction.HEARTBEAT, KEY)
    batch = pending.take(100)
    registry.cancel(*KEY)

    pending.apply_answers(batch, [{"statusCode": 404}])

    assert actions(pending) == []


def test_a_cancellation_does_not_end_a_younger_registration(registry: Registry) -> None:
    registry.register(replace(PROBE, last_dirty=200))

    late = protocol.apply(registry, ReplicationEvent(ReplicationAction.CANCEL, KEY, last_dirty=100))

    assert late["statusCode"] == 404
    assert registry.instance(*KEY)


def test_the_later_of_two_overrides_wins_in_any_order_of_arrival(registry: Registry) -> None:
    registry.register(PROBE, registered_at=1)
    for at, status in ((30, InstanceStatus.DOWN), (20, InstanceStatus.OUT_OF_SERVICE)):
        protocol.apply(
            registry, ReplicationEvent(ReplicationAction.STATUS_UPDATE, KEY, 100, status, at=at)
        )

    lease = registry.instance(*KEY)

    assert lease
    assert lease.status is InstanceStatus.DOWN


def test_a_late_override_does_not_undo_its_later_removal(registry: Registry) -> None:
    registry.register(PROBE, registered_at=1)
    removal = ReplicationEvent(
        ReplicationAction.DELETE_STATUS_OVERRIDE, KEY, 100, InstanceStatus.UP, at=30
    )
    protocol.apply(registry, removal)

    protocol.apply(
        registry,
        ReplicationEvent(ReplicationAction.STATUS_UPDATE, KEY, 100, InstanceStatus.DOWN, at=20),
    )

    lease = registry.instance(*KEY)
    assert lease
    assert lease.status is InstanceStatus.UP


@pytest.mark.parametrize(
    "member",
    [
        None,
        {},
        {"action": "Explode", "appName": "A", "id": "b"},
        {"action": "Register", "appName": "A", "id": "b"},
        {"action": "Register", "appName": "A", "id": "b", "instanceInfo": {}},
        {"action": "Heartbeat", "appName": "A", "id": "b", "lastDirtyTimestamp": "soon"},
        {"action": "Heartbeat", "appName": ["A"], "id": "b"},
    ],
)
def test_an_unreadable_member_of_a_batch_is_answered_400_and_changes_nothing(
    registry: Registry, member: Any
) -> None:
    assert protocol.apply(registry, protocol.read_member(member)) == {"statusCode": 400}
    assert registry.leases() == []


@pytest.mark.parametrize("info", [{}, {"app": "A"}, {"app": "A", "leaseInfo": {"x": []}}])
def test_an_unreadable_instance_of_another_replica_is_skipped(
    registry: Registry, info: dict[str, Any]
) -> None:
    protocol.register_copy(registry, info)

    assert registry.leases() == []

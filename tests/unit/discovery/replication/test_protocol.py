"""What replicas tell one another, and what is left to tell after an outage."""

import json
from dataclasses import replace
from typing import Any

import pytest

from discovery.registry.models import Clock, DataCenter, Instance, Status
from discovery.registry.registry import Registry
from discovery.replication import protocol
from discovery.replication.pending_changes import Batch, Outbox
from discovery.replication.protocol import Action, Note

PROBE = Instance("PROBE", "h:1", "h", "127.0.0.1", DataCenter("MyOwn"), last_dirty=100)
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
    return Registry(Clock(time, time))


@pytest.fixture
def outbox(registry: Registry, time: Time) -> Outbox:
    return Outbox(registry, Clock(time, time))


def members(batch: Batch) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(batch.body)["replicationList"]
    return found


def actions(outbox: Outbox) -> list[str]:
    return [member["action"] for member in members(outbox.take(100))]


def test_a_registration_is_told_in_the_words_of_netflixs_server(
    registry: Registry, outbox: Outbox
) -> None:
    registry.register(PROBE)
    outbox.note(Action.REGISTER, KEY)

    (member,) = members(outbox.take(100))
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


def test_what_was_told_is_understood(registry: Registry, outbox: Outbox, time: Time) -> None:
    registry.register(replace(PROBE, metadata={"zone": "a"}))
    registry.override_status(*KEY, Status.OUT_OF_SERVICE)
    outbox.note(Action.REGISTER, KEY)
    outbox.note(Action.STATUS_UPDATE, KEY)
    other = Registry(Clock(time, time))

    batch = outbox.take(100)
    answers = [protocol.apply_member(other, member) for member in members(batch)]

    assert [answer["statusCode"] for answer in answers] == [200, 200]
    lease = other.instance(*KEY)
    assert lease
    assert lease.instance.metadata == {"zone": "a"}
    assert (lease.status, lease.own_status) == (Status.OUT_OF_SERVICE, Status.UP)


@pytest.mark.parametrize(
    ("noted", "told"),
    [
        (["Heartbeat", "Heartbeat"], ["Heartbeat"]),
        (["Heartbeat", "Register", "Heartbeat"], ["Register"]),
        (["StatusUpdate", "Register"], ["Register", "StatusUpdate"]),
        (["StatusUpdate", "DeleteStatusOverride"], ["StatusUpdate"]),  # which is how it stands
        (["Register", "Register", "StatusUpdate", "StatusUpdate"], ["Register", "StatusUpdate"]),
    ],
)
def test_only_what_still_counts_is_told(
    registry: Registry, outbox: Outbox, noted: list[str], told: list[str]
) -> None:
    registry.register(PROBE)
    registry.override_status(*KEY, Status.DOWN)

    for action in noted:
        outbox.note(Action(action), KEY)

    assert actions(outbox) == told


def test_a_cancellation_takes_the_place_of_all_before_it_and_comes_before_what_follows(
    registry: Registry, outbox: Outbox
) -> None:
    lease = registry.register(PROBE)
    outbox.note(Action.REGISTER, KEY)
    registry.cancel(*KEY)
    outbox.cancelled(lease)
    assert actions(outbox) == ["Cancel"]

    registry.register(PROBE)
    outbox.cancelled(lease)
    outbox.note(Action.REGISTER, KEY)
    assert actions(outbox) == ["Cancel", "Register"]


def test_what_could_not_be_told_waits_with_what_has_come_since(
    registry: Registry, outbox: Outbox
) -> None:
    registry.register(PROBE)
    outbox.note(Action.REGISTER, KEY)
    batch = outbox.take(100)
    outbox.note(Action.HEARTBEAT, KEY)
    outbox.note(Action.HEARTBEAT, ("PROBE", "gone"))

    outbox.put_back(batch)

    assert actions(outbox) == ["Register"]
    assert len(outbox) == 0


def test_an_override_that_ended_with_an_earlier_lease_is_not_told(
    registry: Registry, outbox: Outbox
) -> None:
    registry.register(PROBE)
    outbox.note(Action.STATUS_UPDATE, KEY)

    assert actions(outbox) == ["Heartbeat"]


def test_a_long_outage_piles_up_no_more_than_there_are_instances(
    registry: Registry, outbox: Outbox
) -> None:
    registry.register(PROBE)

    for _ in range(1_000):
        outbox.note(Action.HEARTBEAT, KEY)
        outbox.put_back(outbox.take(100))

    assert len(outbox) == 1


def test_a_cancellation_is_told_no_longer_than_the_other_lease_could_live(
    registry: Registry, outbox: Outbox, time: Time
) -> None:
    outbox.cancelled(registry.register(replace(PROBE, duration_seconds=10)))
    registry.cancel(*KEY)

    time.now += 21

    assert actions(outbox) == []


def test_large_registrations_come_in_batches_that_the_other_end_takes(
    registry: Registry, outbox: Outbox
) -> None:
    for number in range(40):
        id_ = f"h:{number}"
        registry.register(replace(PROBE, instance_id=id_, metadata={"long": "x" * 60_000}))
        outbox.note(Action.REGISTER, ("PROBE", id_))

    batches = [outbox.take(250) for _ in range(3)]

    assert all(len(batch.body) < 1_100_000 for batch in batches)
    assert sum(len(batch.documents) for batch in batches) == 40


def test_a_heartbeat_for_an_unknown_instance_makes_the_sender_register_it(
    registry: Registry, outbox: Outbox
) -> None:
    registry.register(PROBE)
    registry.override_status(*KEY, Status.OUT_OF_SERVICE)
    outbox.note(Action.HEARTBEAT, KEY)

    outbox.answered(outbox.take(100), [{"statusCode": 404}])

    assert actions(outbox) == ["Register", "StatusUpdate"]


def test_a_heartbeat_for_an_instance_that_is_younger_there_brings_that_one_here(
    registry: Registry, outbox: Outbox, time: Time
) -> None:
    registry.register(PROBE)
    outbox.note(Action.HEARTBEAT, KEY)
    there = Registry(Clock(time, time))
    there.register(replace(PROBE, last_dirty=200, metadata={"version": "new"}))

    batch = outbox.take(100)
    answers = [protocol.apply_member(there, member) for member in members(batch)]
    outbox.answered(batch, json.loads(json.dumps(answers)))

    assert answers[0]["statusCode"] == 409
    lease = registry.instance(*KEY)
    assert lease
    assert (lease.last_dirty, lease.instance.metadata) == (200, {"version": "new"})


def test_an_instance_that_has_lapsed_here_is_not_registered_there(
    registry: Registry, outbox: Outbox
) -> None:
    registry.register(PROBE)
    outbox.note(Action.HEARTBEAT, KEY)
    batch = outbox.take(100)
    registry.cancel(*KEY)

    outbox.answered(batch, [{"statusCode": 404}])

    assert actions(outbox) == []


def test_a_cancellation_does_not_end_a_younger_registration(registry: Registry) -> None:
    registry.register(replace(PROBE, last_dirty=200))

    late = protocol.apply(registry, Note(Action.CANCEL, KEY, last_dirty=100))

    assert late["statusCode"] == 404
    assert registry.instance(*KEY)


def test_of_two_overrides_the_later_holds_whatever_comes_first(registry: Registry) -> None:
    registry.register(PROBE, registered_at=1)
    for at, status in ((30, Status.DOWN), (20, Status.OUT_OF_SERVICE)):
        protocol.apply(registry, Note(Action.STATUS_UPDATE, KEY, 100, status, at=at))

    lease = registry.instance(*KEY)

    assert lease
    assert lease.status is Status.DOWN


def test_an_override_that_was_taken_back_does_not_come_back_late(registry: Registry) -> None:
    registry.register(PROBE, registered_at=1)
    taken_back = Note(Action.DELETE_STATUS_OVERRIDE, KEY, 100, Status.UP, at=30)
    protocol.apply(registry, taken_back)

    protocol.apply(registry, Note(Action.STATUS_UPDATE, KEY, 100, Status.DOWN, at=20))

    lease = registry.instance(*KEY)
    assert lease
    assert lease.status is Status.UP


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
def test_a_member_that_cannot_be_read_is_refused_and_does_no_harm(
    registry: Registry, member: Any
) -> None:
    assert protocol.apply_member(registry, member) == {"statusCode": 400}
    assert registry.leases() == []


@pytest.mark.parametrize("info", [{}, {"app": "A"}, {"app": "A", "leaseInfo": {"x": []}}])
def test_an_instance_that_another_replica_lists_and_nobody_can_read_is_left_out(
    registry: Registry, info: dict[str, Any]
) -> None:
    protocol.take_over(registry, info)

    assert registry.leases() == []

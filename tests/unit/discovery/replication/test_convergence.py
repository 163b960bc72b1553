"""Two replicas agree again, whatever happened while the network parted them."""

import json
from dataclasses import dataclass, field
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from discovery.registry.models import (
    DataCenter,
    InstanceInfo,
    InstanceStatus,
    Key,
    Lease,
    RegistryClock,
)
from discovery.registry.registry import Registry
from discovery.registry.rules import LeaseRules
from discovery.replication import protocol
from discovery.replication.pending_changes import PendingChanges
from discovery.replication.protocol import ReplicationAction
from discovery.replication.replicated_registry import ReplicatedRegistry

DURATION, RENEWAL = 6, 2
CLIENTS = st.sampled_from(["a", "b"])
REPLICAS = st.sampled_from([0, 1])


class DeliveredByTest:
    """Stands for Replicas: one other, which receives changes when the test delivers them."""

    def __init__(self, pending: PendingChanges) -> None:
        self.pending = pending

    def replicate(self, action: ReplicationAction, key: Key) -> None:
        self.pending.add(action, key)

    def replicate_cancellation(self, lease: Lease) -> None:
        self.pending.add_cancellation(lease)


@dataclass
class Client:
    id: str
    dirty: int = 0
    status: InstanceStatus = InstanceStatus.UP
    alive: bool = False
    metadata: dict[str, str] = field(default_factory=dict)


class Replica:
    def __init__(self, clock: RegistryClock) -> None:
        rules = LeaseRules(0, 30, renewal_threshold=None)
        self.registry = Registry(clock, lambda: rules)
        self.pending = PendingChanges(self.registry, clock)
        self.replicated = ReplicatedRegistry(self.registry, DeliveredByTest(self.pending))  # type: ignore[arg-type]

    def state(self) -> dict[str, Any]:
        return {
            lease.instance.id: (
                lease.status,
                lease.overridden,
                lease.last_dirty,
                dict(lease.instance.metadata),
            )
            for lease in self.registry.leases()
        }


class Partition(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.now = 1_000.0
        clock = RegistryClock(lambda: self.now, lambda: self.now)
        self.replicas = [Replica(clock), Replica(clock)]
        self.clients = {id_: Client(id_) for id_ in ("a", "b")}

    def _tick(self) -> None:
        self.now += 0.002  # no two things happen in the same millisecond

    @rule(
        id_=CLIENTS,
        at=REPLICAS,
        status=st.sampled_from([InstanceStatus.UP, InstanceStatus.DOWN, InstanceStatus.STARTING]),
    )
    def register(self, id_: str, at: int, status: InstanceStatus) -> None:
        self._tick()
        client = self.clients[id_]
        client.alive, client.status, client.dirty = True, status, int(self.now * 1000)
        self._register(client, at)

    def _register(self, client: Client, at: int) -> None:
        center = DataCenter("MyOwn")
        instance = InstanceInfo("P", client.id, "h", "1", center, client.status)
        object.__setattr__(instance, "duration_seconds", DURATION)
        object.__setattr__(instance, "last_dirty", client.dirty)
        self.replicas[at].replicated.register(instance)

    @rule(id_=CLIENTS, at=REPLICAS)
    def renew(self, id_: str, at: int) -> None:
        self._tick()
        client = self.clients[id_]
        if client.alive and not self.replicas[at].replicated.renew("P", id_, client.dirty):
            self._register(client, at)

    @rule(id_=CLIENTS, at=REPLICAS)
    def cancel(self, id_: str, at: int) -> None:
        self._tick()
        self.clients[id_].alive = False
        self.replicas[at].replicated.cancel("P", id_)

    @rule(id_=CLIENTS)
    def crash(self, id_: str) -> None:
        self.clients[id_].alive = False

    @rule(
        id_=CLIENTS,
        at=REPLICAS,
        status=st.sampled_from([InstanceStatus.OUT_OF_SERVICE, InstanceStatus.DOWN]),
    )
    def override(self, id_: str, at: int, status: InstanceStatus) -> None:
        self._tick()
        self.replicas[at].replicated.override_status("P", id_, status)

    @rule(
        id_=CLIENTS,
        at=REPLICAS,
        status=st.sampled_from([InstanceStatus.UP, InstanceStatus.UNKNOWN]),
    )
    def remove_override(self, id_: str, at: int, status: InstanceStatus) -> None:
        self._tick()
        self.replicas[at].replicated.remove_override("P", id_, status)

    @rule(id_=CLIENTS, at=REPLICAS, value=st.sampled_from("xyz"))
    def metadata(self, id_: str, at: int, value: str) -> None:
        self._tick()
        self.replicas[at].replicated.add_metadata("P", id_, {"key": value})

    @rule(sender=REPLICAS)
    def deliver(self, sender: int) -> None:
        self._tick()
        here, there = self.replicas[sender], self.replicas[1 - sender]
        batch = here.pending.take(100)
        answers = self._apply(there, batch.body)
        here.pending.apply_answers(batch, answers)

    @rule(sender=REPLICAS)
    def lose_the_answer(self, sender: int) -> None:
        here, there = self.replicas[sender], self.replicas[1 - sender]
        batch = here.pending.take(100)
        self._apply(there, batch.body)
        here.pending.put_back(batch)

    def _apply(self, there: Replica, body: bytes) -> list[Any]:
        members = protocol.read_batch(body)
        answers = [
            protocol.apply(there.registry, protocol.read_member(member)) for member in members
        ]
        copied: list[Any] = json.loads(json.dumps(answers))
        return copied

    @rule(at=REPLICAS)
    def outlive_a_lease_at_one_replica(self, at: int) -> None:
        """Longer than a lease, so that the other replica evicts all that do not renew there."""
        for _ in range(2 * DURATION // RENEWAL + 1):
            self.wait(RENEWAL)
            for id_ in self.clients:
                self.renew(id_, at)

    @rule(seconds=st.integers(1, 8))
    def wait(self, seconds: int) -> None:
        self.now += seconds
        for replica in self.replicas:
            replica.registry.sweep()

    def teardown(self) -> None:
        """The network is whole again: every client that lives renews, each at one replica."""
        for _ in range(3 * 2 * DURATION // RENEWAL):
            self.wait(RENEWAL)
            for number, id_ in enumerate(self.clients):
                self.renew(id_, number)
            for _ in range(6):
                self.deliver(0)
                self.deliver(1)

        assert self.replicas[0].state() == self.replicas[1].state()
        alive = {id_ for id_, client in self.clients.items() if client.alive}
        assert set(self.replicas[0].state()) == alive
        assert [len(replica.pending) for replica in self.replicas] == [0, 0]


TestPartition = Partition.TestCase


def test_an_override_survives_at_a_replica_that_had_evicted_the_instance() -> None:
    """It was set at a parted replica, and the client goes on at the replica that forgot it."""
    partition = Partition()
    partition.register(id_="a", at=1, status=InstanceStatus.UP)
    partition.override(id_="a", at=1, status=InstanceStatus.OUT_OF_SERVICE)
    partition.register(id_="a", at=0, status=InstanceStatus.UP)
    partition.deliver(sender=1)
    partition.outlive_a_lease_at_one_replica(at=1)
    partition.teardown()

    assert partition.replicas[0].state()["a"][0] is InstanceStatus.OUT_OF_SERVICE


def test_a_removal_arrives_at_a_replica_that_never_heard_of_the_override() -> None:
    """Both were done between two deliveries, and only what is so in the end is sent."""
    partition = Partition()
    partition.register(id_="a", at=0, status=InstanceStatus.DOWN)
    partition.deliver(sender=0)
    partition.override(id_="a", at=0, status=InstanceStatus.OUT_OF_SERVICE)
    partition.remove_override(id_="a", at=0, status=InstanceStatus.UP)
    partition.teardown()

    assert partition.replicas[1].state()["a"][0] is InstanceStatus.UP

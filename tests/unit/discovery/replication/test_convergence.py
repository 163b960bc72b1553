"""Two replicas agree again, whatever happened while they could not hear one another."""

import json
from dataclasses import dataclass, field
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from discovery.registry.models import Clock, DataCenter, Instance, Key, Lease, Status
from discovery.registry.registry import Registry, Rules
from discovery.replication import protocol
from discovery.replication.pending_changes import Outbox
from discovery.replication.protocol import Action
from discovery.replication.replicated_registry import Cluster

DURATION, RENEWAL = 6, 2
CLIENTS = st.sampled_from(["a", "b"])
REPLICAS = st.sampled_from([0, 1])


class Wire:
    """Stands for Replicas: one other, told by the test when it pleases."""

    def __init__(self, outbox: Outbox) -> None:
        self.outbox = outbox

    def tell(self, action: Action, key: Key) -> None:
        self.outbox.note(action, key)

    def tell_cancelled(self, lease: Lease) -> None:
        self.outbox.cancelled(lease)


@dataclass
class Client:
    id: str
    dirty: int = 0
    status: Status = Status.UP
    alive: bool = False
    metadata: dict[str, str] = field(default_factory=dict)


class Replica:
    def __init__(self, clock: Clock) -> None:
        rules = Rules(0, 30, renewal_threshold=None)
        self.registry = Registry(clock, lambda: rules)
        self.outbox = Outbox(self.registry, clock)
        self.cluster = Cluster(self.registry, Wire(self.outbox))  # type: ignore[arg-type]

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
        clock = Clock(lambda: self.now, lambda: self.now)
        self.replicas = [Replica(clock), Replica(clock)]
        self.clients = {id_: Client(id_) for id_ in ("a", "b")}

    def _tick(self) -> None:
        self.now += 0.002  # no two things happen in the same millisecond

    @rule(
        id_=CLIENTS, at=REPLICAS, status=st.sampled_from([Status.UP, Status.DOWN, Status.STARTING])
    )
    def register(self, id_: str, at: int, status: Status) -> None:
        self._tick()
        client = self.clients[id_]
        client.alive, client.status, client.dirty = True, status, int(self.now * 1000)
        self._register(client, at)

    def _register(self, client: Client, at: int) -> None:
        center = DataCenter("MyOwn")
        instance = Instance("P", client.id, "h", "1", center, client.status)
        object.__setattr__(instance, "duration_seconds", DURATION)
        object.__setattr__(instance, "last_dirty", client.dirty)
        self.replicas[at].cluster.register(instance)

    @rule(id_=CLIENTS, at=REPLICAS)
    def renew(self, id_: str, at: int) -> None:
        self._tick()
        client = self.clients[id_]
        if client.alive and not self.replicas[at].cluster.renew("P", id_, client.dirty):
            self._register(client, at)

    @rule(id_=CLIENTS, at=REPLICAS)
    def cancel(self, id_: str, at: int) -> None:
        self._tick()
        self.clients[id_].alive = False
        self.replicas[at].cluster.cancel("P", id_)

    @rule(id_=CLIENTS)
    def crash(self, id_: str) -> None:
        self.clients[id_].alive = False

    @rule(id_=CLIENTS, at=REPLICAS, status=st.sampled_from([Status.OUT_OF_SERVICE, Status.DOWN]))
    def override(self, id_: str, at: int, status: Status) -> None:
        self._tick()
        self.replicas[at].cluster.override_status("P", id_, status)

    @rule(id_=CLIENTS, at=REPLICAS, status=st.sampled_from([Status.UP, Status.UNKNOWN]))
    def remove_override(self, id_: str, at: int, status: Status) -> None:
        self._tick()
        self.replicas[at].cluster.remove_override("P", id_, status)

    @rule(id_=CLIENTS, at=REPLICAS, value=st.sampled_from("xyz"))
    def metadata(self, id_: str, at: int, value: str) -> None:
        self._tick()
        self.replicas[at].cluster.add_metadata("P", id_, {"key": value})

    @rule(sender=REPLICAS)
    def deliver(self, sender: int) -> None:
        self._tick()
        here, there = self.replicas[sender], self.replicas[1 - sender]
        batch = here.outbox.take(100)
        answers = self._apply(there, batch.body)
        here.outbox.answered(batch, answers)

    @rule(sender=REPLICAS)
    def lose_the_answer(self, sender: int) -> None:
        here, there = self.replicas[sender], self.replicas[1 - sender]
        batch = here.outbox.take(100)
        self._apply(there, batch.body)
        here.outbox.put_back(batch)

    def _apply(self, there: Replica, body: bytes) -> list[Any]:
        members = protocol.read_batch(body)
        answers = [protocol.apply_member(there.registry, member) for member in members]
        found: list[Any] = json.loads(json.dumps(answers))
        return found

    @rule(at=REPLICAS)
    def live_on_unheard(self, at: int) -> None:
        """Longer than a lease, so that the other replica lets go of all whom it does not hear."""
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
        assert [len(replica.outbox) for replica in self.replicas] == [0, 0]


TestPartition = Partition.TestCase


def test_an_override_outlives_the_replica_that_forgot_it() -> None:
    """It was set where nobody heard of it, and the client goes on at the replica that forgot."""
    partition = Partition()
    partition.register(id_="a", at=1, status=Status.UP)
    partition.override(id_="a", at=1, status=Status.OUT_OF_SERVICE)
    partition.register(id_="a", at=0, status=Status.UP)
    partition.deliver(sender=1)
    partition.live_on_unheard(at=1)
    partition.teardown()

    assert partition.replicas[0].state()["a"][0] is Status.OUT_OF_SERVICE

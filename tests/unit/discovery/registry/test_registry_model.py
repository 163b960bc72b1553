"""The registry against a model simple enough to be right, under any order of what can happen."""

from dataclasses import dataclass

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from discovery.eureka import serialize
from discovery.registry.models import DataCenter, InstanceInfo, InstanceStatus, RegistryClock
from discovery.registry.registry import Registry
from discovery.registry.rules import LeaseRules

DURATION = 10
IDS = st.sampled_from(["a", "b", "c"])
REGISTERED = st.sampled_from([InstanceStatus.UP, InstanceStatus.DOWN, InstanceStatus.STARTING])


@dataclass
class Known:
    """What a client may expect of one instance."""

    status: InstanceStatus
    last_dirty: int
    ends: float
    held: InstanceStatus | None = None


class RegistryMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.now = 1_000.0
        self.dirty = 1_000
        self.registry = Registry(
            RegistryClock(lambda: self.now, lambda: self.now),
            lambda: LeaseRules(1, 30, renewal_threshold=None),
        )
        self.model: dict[str, Known] = {}

    @rule(id_=IDS, registered=REGISTERED)
    def register(self, id_: str, registered: InstanceStatus) -> None:
        self.dirty += 1
        self._register(id_, registered, self.dirty)
        held = self.model[id_].held if id_ in self.model else None
        # What is held against UP is not held against an instance that says it is not.
        status = held if held and registered is InstanceStatus.UP else registered
        self.model[id_] = Known(status, self.dirty, self.now + DURATION, held)

    @rule(id_=IDS)
    def register_what_is_outdated(self, id_: str) -> None:
        if id_ in self.model and self.model[id_].status is not InstanceStatus.UNKNOWN:
            self._register(id_, InstanceStatus.DOWN, self.model[id_].last_dirty - 1)
            self.model[id_].ends = self.now + DURATION

    def _register(self, id_: str, registered: InstanceStatus, dirty: int) -> None:
        center = DataCenter("MyOwn")
        self.registry.register(
            InstanceInfo(
                "P", id_, "h", "1", center, registered, duration_seconds=DURATION, last_dirty=dirty
            )
        )

    @rule(id_=IDS, ahead=st.integers(0, 1))
    def renew(self, id_: str, ahead: int) -> None:
        known = self.model.get(id_)
        answer = self.registry.renew("p", id_, (known.last_dirty if known else 0) + ahead)

        assert answer == (
            known is not None and known.status is not InstanceStatus.UNKNOWN and not ahead
        )
        if known and known.status is not InstanceStatus.UNKNOWN:
            known.ends = self.now + 2 * DURATION

    @rule(id_=IDS)
    def cancel(self, id_: str) -> None:
        assert bool(self.registry.cancel("P", id_)) == (self.model.pop(id_, None) is not None)

    @rule(
        id_=IDS,
        status=st.sampled_from(
            [InstanceStatus.OUT_OF_SERVICE, InstanceStatus.DOWN, InstanceStatus.UP]
        ),
    )
    def override(self, id_: str, status: InstanceStatus) -> None:
        known = self._alive(id_)
        assert self.registry.override_status("P", id_, status) == (known is not None)
        if known:
            known.ends = self.now + 2 * DURATION
            if known.status is not status:
                known.status = known.held = status

    @rule(id_=IDS, status=st.sampled_from([InstanceStatus.UP, InstanceStatus.UNKNOWN]))
    def remove_override(self, id_: str, status: InstanceStatus) -> None:
        known = self._alive(id_)
        assert self.registry.remove_override("P", id_, status) == (known is not None)
        if known:
            known.ends = self.now + 2 * DURATION
            if known.held:
                known.status, known.held = status, None

    def _alive(self, id_: str) -> Known | None:
        known = self.model.get(id_)
        return known if known and known.ends >= self.now else None

    @rule(seconds=st.integers(1, 12))
    def wait(self, seconds: int) -> None:
        self.now += seconds
        self.registry.sweep()
        self.model = {id_: known for id_, known in self.model.items() if known.ends >= self.now}

    @invariant()
    def lists_what_the_model_lists(self) -> None:
        listed = {lease.instance.id: lease for lease in self.registry.leases()}
        assert {id_: lease.status for id_, lease in listed.items()} == {
            id_: known.status for id_, known in self.model.items()
        }
        assert {id_: lease.last_dirty for id_, lease in listed.items()} == {
            id_: known.last_dirty for id_, known in self.model.items()
        }

    @invariant()
    def whoever_follows_the_delta_has_the_hash_code_of_the_whole(self) -> None:
        changed = {lease.instance.id: lease for lease in self.registry.delta()}
        for lease in self.registry.leases():
            if lease.instance.id in changed:
                assert changed[lease.instance.id] is lease
        counted = serialize.hash_code(self.registry.leases())
        assert sum(int(part) for part in counted.split("_") if part.isdigit()) == len(self.model)


TestRegistry = RegistryMachine.TestCase

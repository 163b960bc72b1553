"""What one replica has yet to be told, by instance, so that an outage does not pile it up."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from discovery.eureka import deserialize, serialize
from discovery.registry.models import Clock, Key, Lease, Status
from discovery.registry.registry import Registry
from discovery.replication import protocol
from discovery.replication.protocol import Action, Document

STATUS = frozenset((Action.STATUS_UPDATE, Action.DELETE_STATUS_OVERRIDE))
ORDER = tuple(Action)
# More is told in a batch of its own; the other end takes somewhat more than this.
LARGE_BYTES = 1_000_000

Told = Iterable[tuple[Action, Document]]


@dataclass(frozen=True, slots=True)
class Cancelled:
    """`until`, in steady seconds, the other replica's copy would have lapsed by itself."""

    last_dirty: int
    until: float


@dataclass(slots=True)
class Batch:
    """What is told at once; `told` and `documents` go together."""

    taken: dict[Key, frozenset[Action]] = field(default_factory=dict)
    told: list[tuple[Action, Key]] = field(default_factory=list)
    documents: list[bytes] = field(default_factory=list)

    @property
    def body(self) -> bytes:
        return b'{"replicationList":[' + b",".join(self.documents) + b"]}"


class Outbox:
    """Only what to tell is kept: how things stand is looked up when it is told."""

    def __init__(self, registry: Registry, clock: Clock) -> None:
        self._registry = registry
        self._clock = clock
        self._pending: dict[Key, frozenset[Action]] = {}
        self._cancelled: dict[Key, Cancelled] = {}

    def __len__(self) -> int:
        return len(self._pending)

    def note(self, action: Action, key: Key) -> None:
        self._pending[key] = merged(self._pending.get(key, frozenset()), action)

    def cancelled(self, lease: Lease) -> None:
        key = lease.instance.key
        life = 2 * lease.instance.duration_seconds
        self._cancelled[key] = Cancelled(lease.last_dirty, self._clock.steady() + life)
        self.note(Action.CANCEL, key)

    def take(self, limit: int) -> Batch:
        """The oldest things to tell, until `answered`, `refused` or `put_back`."""
        batch, size = Batch(), 0
        while self._pending and len(batch.documents) < limit and size < LARGE_BYTES:
            key = next(iter(self._pending))
            batch.taken[key] = self._pending.pop(key)
            for action, document in self._documents(key, batch.taken[key]):
                batch.told.append((action, key))
                batch.documents.append(serialize.to_json(document))
                size += len(batch.documents[-1])
        return batch

    def put_back(self, batch: Batch) -> None:
        newer, self._pending = self._pending, dict(batch.taken)
        for key, actions in newer.items():
            for action in sorted(actions, key=ORDER.index):
                self.note(action, key)

    def answered(self, batch: Batch, answers: Sequence[Any]) -> None:
        """Heed the replica's answers: register what it does not know, take over what is newer."""
        for (action, key), given in zip(batch.told, answers, strict=True):
            answer = deserialize.mapping(given)
            status = deserialize.number(answer, "statusCode", 0)
            if status == protocol.NOT_FOUND and action is not Action.CANCEL:
                self._register(key)
            elif status == protocol.CONFLICT and answer.get("responseEntity"):
                protocol.take_over(self._registry, deserialize.mapping(answer["responseEntity"]))
        self._forget(batch.taken)

    def refused(self, batch: Batch) -> None:
        """The replica will never take it: better lost than in the way of all that follows."""
        self._forget(batch.taken)

    def _register(self, key: Key) -> None:
        if self._registry.instance(*key):
            self.note(Action.REGISTER, key)
            if (action := self._override_of(key)) is not None:
                self.note(action, key)

    def _override_of(self, key: Key) -> Action | None:
        override = self._registry.override(key)
        if override is None:
            return None
        taken_back = override.status is Status.UNKNOWN
        return Action.DELETE_STATUS_OVERRIDE if taken_back else Action.STATUS_UPDATE

    def _documents(self, key: Key, actions: frozenset[Action]) -> Told:
        cancelled = self._cancelled.get(key)
        if Action.CANCEL in actions and cancelled and cancelled.until > self._clock.steady():
            yield Action.CANCEL, protocol.cancellation(key, cancelled.last_dirty)
        lease = self._registry.instance(*key)
        if lease is None:
            return
        override = self._registry.override(key)
        for action in self._as_it_stands(key, actions):
            yield action, protocol.document(action, lease, override)

    def _as_it_stands(self, key: Key, actions: frozenset[Action]) -> Iterable[Action]:
        """What to tell of a lease that lives; an override may have ended with an earlier lease."""
        if actions & STATUS:
            held = self._override_of(key)
            actions = actions - STATUS | ({held} if held else {Action.HEARTBEAT})
        return sorted(actions - {Action.CANCEL}, key=ORDER.index)

    def _forget(self, keys: Iterable[Key]) -> None:
        for key in keys:
            if Action.CANCEL not in self._pending.get(key, ()):
                self._cancelled.pop(key, None)


def merged(actions: frozenset[Action], new: Action) -> frozenset[Action]:
    """What is left to tell when `new` comes on top of `actions`."""
    if new is Action.CANCEL:
        return frozenset((new,))
    if new is Action.HEARTBEAT:
        return actions or frozenset((new,))  # whatever else is told renews the lease as well
    actions = actions - {Action.HEARTBEAT}
    return (actions - STATUS if new in STATUS else actions) | {new}

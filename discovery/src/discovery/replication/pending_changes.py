"""Changes that one replica has not received yet, merged by instance so that they stay few."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from discovery.eureka import deserialize, serialize
from discovery.registry.models import InstanceStatus, Key, Lease, RegistryClock
from discovery.registry.registry import Registry
from discovery.replication import protocol
from discovery.replication.protocol import JsonObject, ReplicationAction

STATUS_ACTIONS = frozenset(
    (ReplicationAction.STATUS_UPDATE, ReplicationAction.DELETE_STATUS_OVERRIDE)
)
ORDER = tuple(ReplicationAction)
# What exceeds this goes into the next batch; the receiver accepts somewhat more than this.
LARGE_BYTES = 1_000_000

Members = Iterable[tuple[ReplicationAction, JsonObject]]


@dataclass(frozen=True, slots=True)
class PendingCancellation:
    """`until`, in steady seconds, the other replica's copy would have lapsed by itself."""

    last_dirty: int
    until: float


@dataclass(slots=True)
class ReplicationBatch:
    """What is sent in one request; `sent` and `documents` go together."""

    taken: dict[Key, frozenset[ReplicationAction]] = field(default_factory=dict)
    sent: list[tuple[ReplicationAction, Key]] = field(default_factory=list)
    documents: list[bytes] = field(default_factory=list)

    @property
    def body(self) -> bytes:
        return b'{"replicationList":[' + b",".join(self.documents) + b"]}"


class PendingChanges:
    """Keeps which actions are due, not their content: that is looked up when they are sent."""

    def __init__(self, registry: Registry, clock: RegistryClock) -> None:
        self._registry = registry
        self._clock = clock
        self._pending: dict[Key, frozenset[ReplicationAction]] = {}
        self._cancelled: dict[Key, PendingCancellation] = {}

    def __len__(self) -> int:
        return len(self._pending)

    def add(self, action: ReplicationAction, key: Key) -> None:
        self._pending[key] = merged(self._pending.get(key, frozenset()), action)

    def add_cancellation(self, lease: Lease) -> None:
        key = lease.instance.key
        lifetime = 2 * lease.instance.duration_seconds
        self._cancelled[key] = PendingCancellation(
            lease.last_dirty, self._clock.steady() + lifetime
        )
        self.add(ReplicationAction.CANCEL, key)

    def take(self, limit: int) -> ReplicationBatch:
        """The oldest changes; to be ended by `apply_answers`, `discard` or `put_back`."""
        batch, size = ReplicationBatch(), 0
        while self._pending and len(batch.documents) < limit and size < LARGE_BYTES:
            key = next(iter(self._pending))
            batch.taken[key] = self._pending.pop(key)
            for action, document in self._documents(key, batch.taken[key]):
                batch.sent.append((action, key))
                batch.documents.append(serialize.to_json(document))
                size += len(batch.documents[-1])
        return batch

    def put_back(self, batch: ReplicationBatch) -> None:
        newer, self._pending = self._pending, dict(batch.taken)
        for key, actions in newer.items():
            for action in sorted(actions, key=ORDER.index):
                self.add(action, key)

    def apply_answers(self, batch: ReplicationBatch, answers: Sequence[Any]) -> None:
        """Register what the replica does not know, and copy what it has newer."""
        for (action, key), response in zip(batch.sent, answers, strict=True):
            answer = deserialize.mapping(response)
            status = deserialize.number(answer, "statusCode", 0)
            if status == protocol.NOT_FOUND and action is not ReplicationAction.CANCEL:
                self._register(key)
            elif status == protocol.CONFLICT and answer.get("responseEntity"):
                protocol.register_copy(
                    self._registry, deserialize.mapping(answer["responseEntity"])
                )
        self._forget(batch.taken)

    def discard(self, batch: ReplicationBatch) -> None:
        """The replica will never accept it: better lost than in the way of all that follows."""
        self._forget(batch.taken)

    def _register(self, key: Key) -> None:
        if self._registry.instance(*key):
            self.add(ReplicationAction.REGISTER, key)
            if (action := self._override_of(key)) is not None:
                self.add(action, key)

    def _override_of(self, key: Key) -> ReplicationAction | None:
        override = self._registry.override(key)
        if override is None:
            return None
        removed = override.status is InstanceStatus.UNKNOWN
        return (
            ReplicationAction.DELETE_STATUS_OVERRIDE if removed else ReplicationAction.STATUS_UPDATE
        )

    def _documents(self, key: Key, actions: frozenset[ReplicationAction]) -> Members:
        cancelled = self._cancelled.get(key)
        if (
            ReplicationAction.CANCEL in actions
            and cancelled
            and cancelled.until > self._clock.steady()
        ):
            yield ReplicationAction.CANCEL, protocol.cancellation(key, cancelled.last_dirty)
        lease = self._registry.instance(*key)
        if lease is None:
            return
        override = self._registry.override(key)
        for action in self._current_actions(key, actions):
            yield action, protocol.batch_member(action, lease, override)

    def _current_actions(
        self, key: Key, actions: frozenset[ReplicationAction]
    ) -> Iterable[ReplicationAction]:
        """The actions for a live lease; its override may have ended with an earlier lease."""
        if actions & STATUS_ACTIONS:
            override_action = self._override_of(key)
            actions = actions - STATUS_ACTIONS | (
                {override_action} if override_action else {ReplicationAction.HEARTBEAT}
            )
        return sorted(actions - {ReplicationAction.CANCEL}, key=ORDER.index)

    def _forget(self, keys: Iterable[Key]) -> None:
        for key in keys:
            if ReplicationAction.CANCEL not in self._pending.get(key, ()):
                self._cancelled.pop(key, None)


def merged(
    actions: frozenset[ReplicationAction], new: ReplicationAction
) -> frozenset[ReplicationAction]:
    """What is left to send when `new` comes on top of `actions`."""
    if new is ReplicationAction.CANCEL:
        return frozenset((new,))
    if new is ReplicationAction.HEARTBEAT:
        return actions or frozenset((new,))  # every other action renews the lease as well
    actions = actions - {ReplicationAction.HEARTBEAT}
    return (actions - STATUS_ACTIONS if new in STATUS_ACTIONS else actions) | {new}

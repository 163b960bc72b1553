"""The registry that clients change: each change is made here and replicated to the peers.

Netflix's PeerAwareInstanceRegistry.
"""

from collections.abc import Mapping

from discovery.registry.models import InstanceInfo, InstanceStatus
from discovery.registry.registry import Registry
from discovery.replication.peer_client import Replicas
from discovery.replication.protocol import ReplicationAction


class ReplicatedRegistry:
    """The registry's methods for clients; changes of other replicas go to the registry itself."""

    def __init__(self, registry: Registry, replicas: Replicas) -> None:
        self._registry = registry
        self._replicas = replicas

    def register(self, instance: InstanceInfo) -> None:
        self._registry.register(instance)
        self._replicas.replicate(ReplicationAction.REGISTER, instance.key)

    def renew(self, app: str, id_: str, last_dirty: int | None) -> bool:
        renewed = self._registry.renew(app, id_, last_dirty)
        return self._replicate_if(renewed, ReplicationAction.HEARTBEAT, app, id_)

    def cancel(self, app: str, id_: str) -> bool:
        lease = self._registry.cancel(app, id_)
        if lease is not None:
            self._replicas.replicate_cancellation(lease)
        return lease is not None

    def override_status(self, app: str, id_: str, status: InstanceStatus) -> bool:
        overridden = self._registry.override_status(app, id_, status)
        return self._replicate_if(overridden, ReplicationAction.STATUS_UPDATE, app, id_)

    def remove_override(self, app: str, id_: str, status: InstanceStatus) -> bool:
        removed = self._registry.remove_override(app, id_, status)
        return self._replicate_if(removed, ReplicationAction.DELETE_STATUS_OVERRIDE, app, id_)

    def add_metadata(self, app: str, id_: str, entries: Mapping[str, str]) -> bool:
        added = self._registry.add_metadata(app, id_, entries)
        return self._replicate_if(added, ReplicationAction.REGISTER, app, id_)

    def _replicate_if(self, done: bool, action: ReplicationAction, app: str, id_: str) -> bool:
        if done:
            self._replicas.replicate(action, (app.upper(), id_))
        return done

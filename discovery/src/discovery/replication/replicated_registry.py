"""What clients change, done in the registry and passed on to the other replicas."""

from collections.abc import Mapping

from discovery.registry.models import Instance, Status
from discovery.registry.registry import Registry
from discovery.replication.peer_client import Replicas
from discovery.replication.protocol import Action


class Cluster:
    """The same as the registry's methods; what another replica did goes to the registry itself."""

    def __init__(self, registry: Registry, replicas: Replicas) -> None:
        self._registry = registry
        self._replicas = replicas

    def register(self, instance: Instance) -> None:
        self._registry.register(instance)
        self._replicas.tell(Action.REGISTER, instance.key)

    def renew(self, app: str, id_: str, last_dirty: int | None) -> bool:
        renewed = self._registry.renew(app, id_, last_dirty)
        return self._told(renewed, Action.HEARTBEAT, app, id_)

    def cancel(self, app: str, id_: str) -> bool:
        lease = self._registry.cancel(app, id_)
        if lease is not None:
            self._replicas.tell_cancelled(lease)
        return lease is not None

    def override_status(self, app: str, id_: str, status: Status) -> bool:
        held = self._registry.override_status(app, id_, status)
        return self._told(held, Action.STATUS_UPDATE, app, id_)

    def remove_override(self, app: str, id_: str, status: Status) -> bool:
        removed = self._registry.remove_override(app, id_, status)
        return self._told(removed, Action.DELETE_STATUS_OVERRIDE, app, id_)

    def add_metadata(self, app: str, id_: str, entries: Mapping[str, str]) -> bool:
        added = self._registry.add_metadata(app, id_, entries)
        return self._told(added, Action.REGISTER, app, id_)

    def _told(self, done: bool, action: Action, app: str, id_: str) -> bool:
        if done:
            self._replicas.tell(action, (app.upper(), id_))
        return done

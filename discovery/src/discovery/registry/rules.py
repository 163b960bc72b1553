"""When a lease is evicted, and which status wins: rules that need no registry."""

from dataclasses import dataclass, replace

from discovery.registry.models import IN_TRAFFIC, InstanceInfo, Lease


@dataclass(frozen=True, slots=True)
class LeaseRules:
    """How often lapsed leases are looked for, how long a change stays in the delta, and which
    share of the leases has to be renewed for the others to be let go (None: any will do)."""

    sweep_seconds: float = 1.0
    delta_seconds: float = 180.0
    renewal_threshold: float | None = 0.85

    def preserve(self, overdue: int, total: int) -> bool:
        """Self-preservation: whether so many are overdue that the network must be at fault."""
        if self.renewal_threshold is None:
            return False
        return overdue > total - int(total * self.renewal_threshold)


def merge_status(instance: InstanceInfo, known: Lease) -> InstanceInfo:
    """As Netflix's server does: OUT_OF_SERVICE in a registration does not end UP, nor UP it."""
    own = known.own_status
    if instance.status in IN_TRAFFIC and own in IN_TRAFFIC and own is not instance.status:
        return replace(instance, status=own)
    return instance

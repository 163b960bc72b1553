"""Metrics of the registry, beside those that every process has."""

from collections import Counter
from collections.abc import Iterable

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from discovery.registry.journal import LeaseEvent
from discovery.registry.registry import Registry
from discovery.replication.peer_client import Replicas

EVENTS = {
    LeaseEvent.REGISTERED: "registrations",
    LeaseEvent.RENEWED: "renewals",
    LeaseEvent.CANCELLED: "cancellations",
    LeaseEvent.EVICTED: "evictions",
}


class RegistryMetrics:
    def __init__(self, registry: Registry, replicas: Replicas) -> None:
        self._registry = registry
        self._replicas = replicas
        self._collectors = CollectorRegistry()
        self._collectors.register(self)

    def exposition(self) -> bytes:
        return generate_latest(self._collectors)

    def collect(self) -> Iterable[Metric]:
        yield self._instances()
        registry = self._registry
        yield _gauge("self_preservation", "1 while nobody is evicted.", registry.preserving)
        yield _gauge("leases_overdue", "Instances that have stopped renewing.", registry.overdue)
        last_minute = registry.journal.renewals_last_minute
        yield _gauge("renewals_last_minute", "Heartbeats received.", last_minute)
        for event, name in EVENTS.items():
            counter = CounterMetricFamily(f"eureka_server_{name}", f"Instances {event}.")
            counter.add_metric((), registry.journal.counts[event])
            yield counter
        yield from self._replicas_metrics()

    def _instances(self) -> Metric:
        family = GaugeMetricFamily(
            "eureka_server_instances", "Registered.", labels=("application", "status")
        )
        leases = self._registry.leases()
        for labels, number in Counter(
            (lease.instance.app, lease.status) for lease in leases
        ).items():
            family.add_metric(labels, number)
        return family

    def _replicas_metrics(self) -> Iterable[Metric]:
        reached = GaugeMetricFamily(
            "eureka_server_replica_reached", "1 if it answered last time.", labels=("replica",)
        )
        pending = GaugeMetricFamily(
            "eureka_server_replica_pending",
            "Instances with changes that it has not received.",
            labels=("replica",),
        )
        for replica in self._replicas.all():
            reached.add_metric((replica.address,), float(replica.reached is True))
            pending.add_metric((replica.address,), len(replica.pending))
        return reached, pending


def _gauge(name: str, help_: str, value: float) -> Metric:
    family = GaugeMetricFamily(f"eureka_server_{name}", help_)
    family.add_metric((), float(value))
    return family

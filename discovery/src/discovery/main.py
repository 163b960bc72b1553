"""Runs discovery: `python -m discovery.main`."""

import os
from typing import Any

from aiohttp import web

from chassis.actuator.endpoints import ActuatorResponse, down, up
from chassis.identity.access import PlatformAccess
from chassis.observability.metrics import CONTENT_TYPE
from chassis.runtime.aiohttp import add_actuator, serve
from chassis.runtime.service import Process, begin
from discovery.app import DiscoveryServer
from discovery.replication.peer_client import Replicas
from discovery.settings import DiscoverySettings
from discovery.web.metrics import RegistryMetrics

SERVICE = "discovery"


def own_port() -> int:
    """DISCOVERY_PORT is the port of the first replica; the others are given SERVER_PORT."""
    return int(os.environ.get("SERVER_PORT") or os.environ.get("DISCOVERY_PORT") or "8761")


def build() -> tuple[Process[DiscoverySettings], web.Application]:
    process = begin(SERVICE, DiscoverySettings)
    discovery = DiscoveryServer(
        PlatformAccess.of(process.environment),
        rules=process.live.map(lambda settings: settings.eureka.lease_rules()),
        peer_settings=process.live.map(lambda settings: settings.eureka.peer_settings()),
        bind=process.environment.bind,
        port=own_port(),
        identity=lambda: process.identity.headers(SERVICE),
        panel=process.live.map(lambda settings: settings.fusebox.pages.panel),
    )
    registry_metrics = RegistryMetrics(discovery.registry, discovery.replicas)
    process.actuator.add(
        "prometheus",
        lambda _: ActuatorResponse(
            process.metrics.exposition() + registry_metrics.exposition(), 200, CONTENT_TYPE
        ),
    )
    process.actuator.health.add("replicas", lambda: health(discovery.replicas), readiness=True)
    add_actuator(discovery.app, process)
    return process, discovery.app


def health(replicas: Replicas) -> dict[str, Any]:
    """An unreachable replica does not make this one unready; an empty registry does."""
    if not replicas.synced:
        return down("copying the registry of another replica")
    return up(
        replicas={
            replica.address: {"reached": replica.reached, "pending": len(replica.pending)}
            for replica in replicas.all()
        }
    )


if __name__ == "__main__":
    serve(build, own_port())

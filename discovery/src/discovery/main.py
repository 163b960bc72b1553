"""Runs discovery: `python -m discovery.main`."""

import os
from typing import Any

from aiohttp import web

from chassis.actuator.endpoints import Reply, down, up
from chassis.observability.metrics import CONTENT_TYPE
from chassis.runtime.aiohttp import add_actuator, serve
from chassis.runtime.service import Process, begin
from discovery.app import Discovery
from discovery.replication.peer_client import Replicas
from discovery.settings import DiscoverySettings
from discovery.web.metrics import Metrics


def own_port() -> int:
    """DISCOVERY_PORT is the first replica's, which all know; others are given SERVER_PORT."""
    return int(os.environ.get("SERVER_PORT") or os.environ.get("DISCOVERY_PORT") or "8761")


def build() -> tuple[Process[DiscoverySettings], web.Application]:
    process = begin("discovery", DiscoverySettings)
    discovery = Discovery(
        rules=lambda: process.settings.eureka.rules(),
        neighbourhood=lambda: process.settings.eureka.neighbourhood(),
        bind=process.environment.bind,
        port=own_port(),
    )
    measured = Metrics(discovery.registry, discovery.replicas)
    process.actuator.add(
        "prometheus",
        lambda _: Reply(process.metrics.exposition() + measured.exposition(), 200, CONTENT_TYPE),
    )
    process.actuator.health.add("replicas", lambda: health(discovery.replicas), readiness=True)
    add_actuator(discovery.app, process)
    return process, discovery.app


def health(replicas: Replicas) -> dict[str, Any]:
    """A replica that is away does not make this one unfit; having nothing to answer does."""
    if not replicas.filled:
        return down("asking the other replicas for what they know")
    return up(
        replicas={
            each.address: {"reached": each.reached, "pending": len(each.outbox)}
            for each in replicas.all()
        }
    )


if __name__ == "__main__":
    serve(build, own_port())

"""What only a shop of containers promises: no more rights than needed, and nobody else's data.

These run where a Docker engine answers: make test MODE=docker.
"""

import subprocess
from typing import Any

import pytest

from fusebox.core.topology import PARTS, SERVICES
from fusebox.docker import compose

from ...running import MODE, RunningShop

pytestmark = pytest.mark.skipif(
    MODE != "docker", reason="for a shop of containers, where an engine answers: MODE=docker"
)
OURS = [part.name for part in PARTS if part.is_ours]
LOG_IN = """
import os, psycopg, sys
role, database = sys.argv[1:]
password = open(f"/run/secrets/{os.environ['SERVICE']}/{os.environ['SERVICE']}-db-password").read()
psycopg.connect(host="postgres", user=role, dbname=database, password=password, connect_timeout=5)
"""


def described(shop: RunningShop, name: str) -> dict[str, Any]:
    full_name = f"/{shop.stack.project}-{name}-1"
    return next(item for item in compose.inspect(shop.stack) if item["Name"] == full_name)


def python(
    shop: RunningShop, name: str, code: str, *arguments: str
) -> subprocess.CompletedProcess[str]:
    container = f"{shop.stack.project}-{name}-1"
    return subprocess.run(
        ["docker", "exec", container, "python", "-c", code, *arguments],
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.mark.parametrize("name", [*OURS, "ops"])
def test_a_container_of_ours_runs_with_the_least_rights(shop: RunningShop, name: str) -> None:
    container = described(shop, name)
    host = container["HostConfig"]

    assert container["Config"]["User"] == "10001:10001"
    assert host["ReadonlyRootfs"]
    assert host["CapDrop"] == ["ALL"]
    assert host["CapAdd"] is None
    assert host["SecurityOpt"] == ["no-new-privileges:true"]
    assert host["Memory"] > 0
    assert python(shop, name, "open('/app/x', 'w')").returncode != 0


def test_only_two_ports_are_published_and_only_to_this_machine(shop: RunningShop) -> None:
    published = [
        binding["HostIp"] + ":" + binding["HostPort"]
        for container in compose.inspect(shop.stack)
        for bindings in (container["NetworkSettings"]["Ports"] or {}).values()
        for binding in bindings or ()
    ]

    ports = [shop.stack.port("gateway"), shop.stack.port("zipkin")]
    assert sorted(published) == sorted(f"127.0.0.1:{port}" for port in ports)


def test_no_secret_stands_in_an_environment_or_an_image(shop: RunningShop) -> None:
    files = [file for file in (shop.stack.home / "secrets").iterdir() if file.is_file()]
    secrets = [file.read_text().strip() for file in files]
    containers = compose.inspect(shop.stack)
    environments = [str(container["Config"]["Env"]) for container in containers]
    images = {container["Config"]["Image"] for container in containers}
    layers = [compose.docker("history", "--no-trunc", image) for image in images]

    assert len(secrets) >= 6
    assert not any(secret in text for secret in secrets for text in (*environments, *layers))


@pytest.mark.parametrize("service", [part.name for part in SERVICES])
def test_a_service_can_log_in_to_its_own_database_only(shop: RunningShop, service: str) -> None:
    own = service.replace("-", "_")
    assert python(shop, service, LOG_IN, own, own).returncode == 0

    for other in (part.module for part in SERVICES if part.name != service):
        refused = python(shop, service, LOG_IN, own, other)
        assert "no pg_hba.conf entry" in refused.stderr, refused.stderr
        refused = python(shop, service, LOG_IN, other, other)
        assert "no pg_hba.conf entry" in refused.stderr, refused.stderr


@pytest.mark.parametrize("name", ["gateway", "discovery", "config-server"])
def test_a_container_that_needs_no_database_cannot_reach_it(shop: RunningShop, name: str) -> None:
    code = "import socket; socket.create_connection(('postgres', 5432), 3)"

    assert python(shop, name, code).returncode != 0


def test_no_container_reaches_the_internet(shop: RunningShop) -> None:
    code = "import socket; socket.create_connection(('192.0.2.1', 80), 3)"

    refused = python(shop, "order-service", code)

    assert "Network is unreachable" in refused.stderr, refused.stderr


def test_an_instance_is_addressed_by_its_number_everywhere(shop: RunningShop) -> None:
    shop.run("scale", "order-service", "2")
    try:
        rows = shop.rows()
        assert {"order-service-1", "order-service-2"} <= set(rows)
        shop.run("kill", "order-service", "--instance", "2")
        assert shop.faults() == {"order-service-2": ["killed"]}
    finally:
        shop.run("scale", "order-service", "1")


def test_a_second_up_reports_that_the_shop_runs_already(shop: RunningShop) -> None:
    assert "was up already" in shop.run("up").stdout


def test_docker_compose_accepts_the_compose_file(shop: RunningShop) -> None:
    compose.compose(shop.stack, "config", "--quiet")

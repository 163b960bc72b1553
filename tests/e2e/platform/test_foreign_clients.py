"""A third-party application joins the shop with public Eureka and Spring config clients."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests

from ...running import processes_only

pytestmark = processes_only
PROGRAM = Path(__file__).with_name("foreign_application.py")
NAME = "foreign-service"


@contextmanager
def joined(shop: Any) -> Iterator[dict[str, Any]]:
    """Its id and its configuration; it leaves in the end."""
    addresses = shop.guest_addresses()
    servers = [addresses["eureka"], addresses["config"]]
    process = subprocess.Popen(
        [sys.executable, PROGRAM, *servers],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert process.stdout
        yield json.loads(process.stdout.readline())
    finally:
        process.communicate("", timeout=30)


def lease(shop: Any, id_: str) -> dict[str, Any]:
    """The lease that discovery keeps; empty when there is none."""
    answer = requests.get(
        f"{shop.stack.url('discovery')}/eureka/apps/{NAME}/{id_}",
        headers={"Accept": "application/json"},
        timeout=5,
    )
    lease_info: dict[str, Any] = answer.json()["instance"]["leaseInfo"] if answer.ok else {}
    return lease_info


def test_a_third_party_application_registers_is_called_through_the_gateway_and_leaves(
    shop: Any,
) -> None:
    def get(path: str) -> requests.Response:
        return requests.get(f"{shop.gateway}/{NAME}{path}", timeout=5)

    (shop.stack.config / f"{NAME}.properties").write_text("greeting=hello from ${spring.x:here}\n")
    assert get("/").status_code == 404
    with joined(shop) as application:
        configuration = application["configuration"]
        assert configuration["greeting"] == "hello from here"
        assert configuration["eureka"]["instance"]["lease-renewal-interval-in-seconds"] == 5

        shop.until(lambda: get("/a/b?c=d").ok, 5)
        assert get("/a/b?c=d").json() == {"path": "/a/b?c=d"}
        assert get("/actuator/env").status_code == 401

        before = lease(shop, application["id"])
        assert before["durationInSecs"] == 3
        renewed = before["lastRenewalTimestamp"]
        shop.until(lambda: lease(shop, application["id"])["lastRenewalTimestamp"] > renewed, 5)

    assert lease(shop, application["id"]) == {}
    shop.until(lambda: get("/").status_code == 404, 5)
    (shop.stack.config / f"{NAME}.properties").unlink()


def test_the_gateway_does_not_route_to_the_platforms_own_servers(shop: Any) -> None:
    for name in ("discovery", "config-server", "gateway"):
        assert requests.get(f"{shop.gateway}/{name}/", timeout=5).status_code == 404

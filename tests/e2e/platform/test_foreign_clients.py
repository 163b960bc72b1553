"""An application of strangers joins the shop with the libraries it has, and leaves it."""

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
    """What it says of itself; it leaves in the end."""
    servers = [f"{shop.stack.url('discovery')}/eureka/", shop.stack.url("config-server")]
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
    """What discovery says of the lease; empty when there is none."""
    answer = requests.get(
        f"{shop.stack.url('discovery')}/eureka/apps/{NAME}/{id_}",
        headers={"Accept": "application/json"},
        timeout=5,
    )
    found: dict[str, Any] = answer.json()["instance"]["leaseInfo"] if answer.ok else {}
    return found


def test_a_foreign_application_joins_is_called_and_leaves(shop: Any) -> None:
    def get(path: str) -> requests.Response:
        return requests.get(f"{shop.gateway}/{NAME}{path}", timeout=5)

    (shop.stack.config / f"{NAME}.properties").write_text("greeting=hello from ${spring.x:here}\n")
    assert get("/").status_code == 404
    with joined(shop) as told:
        configuration = told["configuration"]
        assert configuration["greeting"] == "hello from here"
        assert configuration["eureka"]["instance"]["lease-renewal-interval-in-seconds"] == 5

        shop.until(lambda: get("/a/b?c=d").ok, 5)
        assert get("/a/b?c=d").json() == {"path": "/a/b?c=d"}
        assert get("/actuator/env").status_code == 401

        before = lease(shop, told["id"])
        assert before["durationInSecs"] == 3
        renewed = before["lastRenewalTimestamp"]
        shop.until(lambda: lease(shop, told["id"])["lastRenewalTimestamp"] > renewed, 5)

    assert lease(shop, told["id"]) == {}
    shop.until(lambda: get("/").status_code == 404, 5)
    (shop.stack.config / f"{NAME}.properties").unlink()


def test_the_shops_own_servers_are_not_open_by_their_names(shop: Any) -> None:
    for name in ("discovery", "config-server", "gateway"):
        assert requests.get(f"{shop.gateway}/{name}/", timeout=5).status_code == 404

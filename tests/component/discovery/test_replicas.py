"""Several real discovery processes: they replicate, and agree again after an outage."""

import signal
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from aiohttp import ClientTimeout

from discovery.replication.peer_client import PeerSettings

from .conftest import Replica, served, until

LONG_LEASE: dict[str, Any] = {"leaseInfo": {"renewalIntervalInSecs": 30, "durationInSecs": 90}}


def test_a_change_at_one_replica_reaches_all(two: list[Replica], replicas: list[Replica]) -> None:
    first, second, third = replicas
    third.start()
    until(third.is_ready)
    path = "/apps/PROBE/a"

    first.register("a", metadata={"zone": "x"}, **LONG_LEASE)
    until(lambda: all("a" in replica.ids() for replica in replicas))
    second.put(f"{path}/status?value=OUT_OF_SERVICE")
    until(lambda: all(replica.instance(path)["status"] == "OUT_OF_SERVICE" for replica in replicas))
    third.delete(f"{path}/status?value=UP")
    until(lambda: all(replica.instance(path)["status"] == "UP" for replica in replicas))
    third.put(f"{path}/metadata?more=y")
    both = {"zone": "x", "more": "y"}
    until(lambda: all(replica.instance(path)["metadata"] == both for replica in replicas))
    second.delete(path)
    until(lambda: all("a" not in replica.ids() for replica in replicas))


def test_heartbeats_at_one_replica_keep_the_lease_at_the_other(two: list[Replica]) -> None:
    first, second = two
    lease = {"renewalIntervalInSecs": 1, "durationInSecs": 2}
    for id_ in ("renewed", "forgotten"):
        first.register(id_, leaseInfo=lease)
        first.put(f"/apps/PROBE/{id_}")
    until(lambda: second.ids() == {"renewed", "forgotten"})

    def is_forgotten() -> bool:
        assert first.put("/apps/PROBE/renewed").status_code == 200
        assert "renewed" in second.ids()
        return first.ids() == second.ids() == {"renewed"}

    until(is_forgotten)


def test_a_killed_replica_comes_back_with_everything_before_it_answers(
    two: list[Replica],
) -> None:
    first, second = two
    for number in range(50):
        first.register(f"before:{number}", **LONG_LEASE)
    second.kill()
    for number in range(50):
        first.register(f"while:{number}", **LONG_LEASE)
    first.delete("/apps/PROBE/before:0")
    first.put("/apps/PROBE/before:1/status?value=OUT_OF_SERVICE")
    expected = first.ids()

    second.start()
    answers: list[requests.Response] = []

    def answered() -> bool:
        answers.append(second.get("/apps"))
        return answers[-1].status_code == 200

    until(answered)

    assert {answer.status_code for answer in answers[:-1]} <= {503}
    assert len(expected) == 99
    assert second.ids() == expected
    assert second.instance("/apps/PROBE/before:1")["status"] == "OUT_OF_SERVICE"
    assert second.is_ready()
    second.register("after", **LONG_LEASE)
    until(lambda: "after" in first.ids())


def test_two_replicas_agree_again_after_one_was_unreachable(two: list[Replica]) -> None:
    first, second = two
    for id_ in ("stays", "leaves", "changes"):
        first.register(id_, lastDirtyTimestamp="1000", **LONG_LEASE)
    until(lambda: len(second.ids()) == 3)

    second.pause()
    first.delete("/apps/PROBE/leaves")
    first.register("changes", lastDirtyTimestamp="2000", metadata={"version": "2"}, **LONG_LEASE)
    first.register("comes", **LONG_LEASE)
    until(
        lambda: (
            b"unreachable:" in requests.get(f"http://127.0.0.1:{first.port}/", timeout=5).content
        )
    )
    second.resume()

    until(lambda: second.ids() == {"stays", "changes", "comes"})
    until(lambda: second.instance("/apps/PROBE/changes")["metadata"] == {"version": "2"})
    assert first.ids() == second.ids()


def test_a_heartbeat_may_go_to_another_replica(two: list[Replica]) -> None:
    """Clients fail over: the second knows the instance from the first only."""
    first, second = two
    first.register("a", **LONG_LEASE)
    until(lambda: "a" in second.ids())

    first.kill()

    assert second.put("/apps/PROBE/a?status=UP").status_code == 200
    first.start()
    until(first.is_ready)
    assert "a" in first.ids()


def test_replicas_that_start_together_do_not_wait_for_one_another(two: list[Replica]) -> None:
    for replica in two:
        replica.kill()
    for replica in two:
        replica.start()
    for replica in two:
        until(replica.is_ready)

    assert [replica.ids() for replica in two] == [set(), set()]


def test_a_replica_shuts_down_gracefully(two: list[Replica]) -> None:
    began = time.monotonic()

    assert two[0].kill(signal.SIGTERM) == 0

    assert time.monotonic() - began < 10


def test_the_page_and_the_metrics_show_the_other_replica(two: list[Replica]) -> None:
    first, second = two
    first.register("a", **LONG_LEASE)
    root = f"http://127.0.0.1:{first.port}"
    address = f"http://127.0.0.1:{second.port}/eureka/"

    reached = f'eureka_server_replica_reached{{replica="{address}"}} 1.0'
    until(lambda: reached in requests.get(f"{root}/actuator/prometheus", timeout=5).text)

    assert address in requests.get(f"{root}/", timeout=5).text
    health = requests.get(f"{root}/actuator/health", timeout=5).json()
    assert health["components"]["replicas"]["details"]["replicas"][address]["reached"] is True


@pytest.fixture
def silent() -> Iterator[str]:
    """The address of a replica that takes a connection and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}/eureka/"


def test_a_starting_replica_answers_503_while_it_copies_and_gives_up_after_its_retries(
    silent: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("discovery.replication.peer_client.TIMEOUT", ClientTimeout(total=1))
    with served(tmp_path, PeerSettings(silent, retries=1, retry_seconds=0.1)) as replica:
        calls = [("GET", "/apps"), ("GET", "/v2/apps/delta"), ("PUT", "/apps/A/b")]
        refused = [replica.call(method, path) for method, path in calls]

        assert [(answer.status_code, answer.content) for answer in refused] == [(503, b"")] * 3
        until(lambda: replica.get("/apps").status_code == 200, seconds=30)


def test_a_starting_replica_copies_the_registry_of_another(discovery: Any, tmp_path: Path) -> None:
    discovery.register("a", metadata={"k": "v"})
    discovery.register("b")
    discovery.put("/apps/PROBE/b/status?value=OUT_OF_SERVICE")

    with served(tmp_path, PeerSettings(f"{discovery.base}/", retries=1)) as replica:
        until(lambda: replica.ids() == {"a", "b"})
        assert replica.instance("/apps/PROBE/a")["metadata"] == {"k": "v"}
        assert replica.instance("/apps/PROBE/b")["overriddenStatus"] == "OUT_OF_SERVICE"

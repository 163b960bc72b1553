"""A service as gunicorn runs it, with the settings that are read after the fork."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from socket import socket

import pytest
import requests

from fusebox.core.wait import wait_until

MODULE = "tests.component.chassis.crowded_service"
CLONE = Path(__file__).resolve().parents[3]


def free_port() -> int:
    with socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


@pytest.mark.parametrize("threads", [1, 3, 40])
def test_as_many_requests_are_worked_on_at_once_as_the_configuration_says(
    tmp_path: Path, threads: int
) -> None:
    port = free_port()
    environment = {
        **os.environ,
        "PORT": str(port),
        "THREADS": str(threads),
        "FUSEBOX_STATE": str(tmp_path),
        "FUSEBOX_SECRETS": str(tmp_path),
    }
    url = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", MODULE]
    with ExitStack() as stack:
        service = stack.enter_context(
            subprocess.Popen(command, cwd=CLONE, env=environment, stderr=subprocess.DEVNULL)
        )
        stack.callback(service.terminate)
        wait_until(lambda: answers(url), 30, "the service")

        crowd = stack.enter_context(ThreadPoolExecutor(2 * threads))
        answered = list(
            crowd.map(lambda _: requests.get(f"{url}/crowd", timeout=30), range(2 * threads))
        )

    assert [answer.status_code for answer in answered] == [200] * (2 * threads)
    assert {answer.json()["most"] for answer in answered} == {threads}


def answers(url: str) -> bool:
    try:
        return requests.get(f"{url}/actuator/health/liveness", timeout=5).ok
    except requests.ConnectionError:
        return False

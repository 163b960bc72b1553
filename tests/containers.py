"""Reaching what a shop of containers does not publish: by the containers' own addresses.

Linux lets the machine reach every network of its engine, which is all that these tests need; the
verbs of the shop do not rely on it.
"""

import json
import socket
import subprocess
from typing import Any

from fusebox.core.stack import Stack

_getaddrinfo = socket.getaddrinfo


def reached(stack: Stack, host: str) -> str:
    """An address of the container that the others call `host`; of a shop of processes `host`."""
    if stack.mode != "docker":
        return host
    name = host if host.startswith(stack.project) else f"{stack.project}-{host}-1"
    completed = subprocess.run(["docker", "inspect", name], capture_output=True, text=True)
    networks: dict[str, Any] = {}
    for description in json.loads(completed.stdout) if completed.returncode == 0 else []:
        networks = description["NetworkSettings"]["Networks"]
    return next(
        (network["IPAddress"] for network in networks.values() if network["IPAddress"]),
        host,
    )


def resolve_names_of(stack: Stack) -> None:
    """Kafka tells its clients to come to `kafka`, which only its own networks know."""

    def getaddrinfo(host: Any, *given: Any, **named: Any) -> Any:
        return _getaddrinfo(reached(stack, "kafka") if host == "kafka" else host, *given, **named)

    if stack.mode == "docker":
        socket.getaddrinfo = getaddrinfo


def left_behind(stack: Stack) -> list[str]:
    """The containers of the stack that are still there."""
    label = f"label=com.docker.compose.project={stack.project}"
    listing = subprocess.run(
        ["docker", "ps", "--all", "--quiet", "--filter", label], capture_output=True, text=True
    )
    return listing.stdout.split()


def edit(stack: Stack, path: str, text: str | None) -> None:
    """Write or remove a file where the container `ops` may."""
    script = f"rm {path}" if text is None else f"cat > {path}"
    command = ["docker", "exec", "--interactive", f"{stack.project}-ops-1", "sh", "-c", script]
    subprocess.run(command, input=text or "", text=True, check=True)


def log(container: str) -> str:
    completed = subprocess.run(
        ["docker", "logs", container], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    return completed.stdout

"""The Docker engine, spoken to as a person does: by its command line."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from typing import Any

from fusebox.core.errors import Fault
from fusebox.core.stack import Stack
from fusebox.logs.files import TAIL_LINES

TIMEOUT_SECONDS = 60.0
# Health checks that are quick at the start came with 25; compose that knows them with 2.21.
OLDEST_ENGINE = (25, 0)
OLDEST_COMPOSE = (2, 21)
# Of an optional container, which is no part of the topology.
JAEGER_PORT = 16686
INSTALL = (
    "install Docker Engine 25 or newer with the compose plugin, or run `make up` without MODE."
)


def environment(stack: Stack) -> dict[str, str]:
    """What docker-compose.yml asks for."""
    return {
        **os.environ,
        "FUSEBOX_PROJECT": stack.project,
        "FUSEBOX_SECRETS": str(stack.handed),
        "FUSEBOX_BIND": stack.bind,
        "GATEWAY_PORT": str(stack.port("gateway")),
        "PANEL_PORT": str(stack.port("panel")),
        "ZIPKIN_PORT": str(stack.port("zipkin")),
        "JAEGER_PORT": str(JAEGER_PORT + stack.offset),
    }


def compose_command(stack: Stack, *arguments: str) -> list[str]:
    return ["docker", "compose", "--project-directory", str(stack.clone), *arguments]


def docker(*arguments: str, timeout: float = TIMEOUT_SECONDS) -> str:
    """What `docker …` prints; raises Fault with what it says when it fails."""
    return _run(["docker", *arguments], None, timeout)


def compose(
    stack: Stack,
    *arguments: str,
    timeout: float = TIMEOUT_SECONDS,
    more: Mapping[str, str] | None = None,
) -> str:
    """The same with `docker compose …`; `more` is what new containers are told beside the rest."""
    container_environment = {**environment(stack), **(more or {})}
    return _run(compose_command(stack, *arguments), container_environment, timeout)


def inspect(stack: Stack) -> list[dict[str, Any]]:
    """Every container of the stack, as the engine describes it."""
    label = f"label=com.docker.compose.project={stack.project}"
    ids = docker("ps", "--all", "--quiet", "--no-trunc", "--filter", label).split()
    if not ids:
        return []
    try:
        described: list[dict[str, Any]] = json.loads(docker("inspect", *ids))
    except Fault as fault:
        if "No such object" not in fault.where:
            raise
        return inspect(stack)  # one was removed in between: look who is left
    return described


def tail(container: str) -> str:
    """The end of its log under its name, for an error message."""
    done = subprocess.run(
        ["docker", "logs", "--tail", str(TAIL_LINES), container],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    )
    lines = [f"  {line}" for line in done.stdout.splitlines()] or ["  (empty)"]
    return "\n".join([f"the last lines of `docker logs {container}`:", *lines])


def described() -> str:
    """The versions of engine and compose."""
    server = docker("version", "--format", "{{.Server.Version}}").strip()
    return f"engine {server}, compose {docker('compose', 'version', '--short').strip()}"


def refuse_unfit() -> None:
    """Raises Fault when there is no engine, or one that is too old, or no compose."""
    if shutil.which("docker") is None:
        raise Fault("there is no program `docker` here", remedy=INSTALL)
    server = _version(["docker", "version", "--format", "{{.Server.Version}}"])
    if server is None:
        raise Fault(
            "the Docker engine does not answer",
            where=_complaint(["docker", "version"]),
            remedy="start it (systemctl start docker, or Docker Desktop); your user must reach it.",
        )
    compose_ = _version(["docker", "compose", "version", "--short"])
    if compose_ is None:
        raise Fault("this docker has no `docker compose`", remedy=INSTALL)
    for name, version, oldest in (
        ("Docker Engine", server, OLDEST_ENGINE),
        ("docker compose", compose_, OLDEST_COMPOSE),
    ):
        if version < oldest:
            present = ".".join(map(str, version))
            raise Fault(
                f"{name} is {present}, and this needs {'.'.join(map(str, oldest))}", remedy=INSTALL
            )


def _version(command: Sequence[str]) -> tuple[int, ...] | None:
    done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_SECONDS)
    numbers = done.stdout.strip().removeprefix("v").split(".")[:2]
    if done.returncode != 0 or not all(number.isdigit() for number in numbers):
        return None
    return tuple(int(number) for number in numbers)


def _complaint(command: Sequence[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_SECONDS)
    return done.stderr.strip()


def _run(command: Sequence[str], env: Mapping[str, str] | None, timeout: float) -> str:
    try:
        done = subprocess.run(
            command,
            env=env,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout,
        )
    except FileNotFoundError:
        raise Fault("there is no program `docker` here", remedy=INSTALL) from None
    except subprocess.TimeoutExpired:
        raise Fault(
            f"`{' '.join(command[:3])} …` was not done within {timeout:.0f} s",
            remedy="see `docker info` and what else this machine is doing.",
        ) from None
    if done.returncode != 0:
        raise Fault(
            f"`{' '.join(command[:3])} …` failed with exit status {done.returncode}",
            where=done.stderr.strip(),
            remedy="see `make doctor MODE=docker`.",
        )
    return done.stdout

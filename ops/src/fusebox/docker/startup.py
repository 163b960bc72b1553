"""`up` and its undoing with containers: images, secrets, compose, and waiting for health."""

from __future__ import annotations

import re
import threading
import time
from contextlib import suppress
from functools import partial
from typing import Any

from fusebox.core import progress
from fusebox.core.errors import Fault
from fusebox.core.progress import Display
from fusebox.core.stack import Stack
from fusebox.core.task_graph import Step, run_steps
from fusebox.core.topology import PARTS, Part
from fusebox.core.wait import Late, wait_until
from fusebox.docker import compose, images, secrets
from fusebox.docker.containers import Containers
from fusebox.network.ports import refuse_taken
from fusebox.runtime import health, remote
from fusebox.state import canary_mark, eureka_zone

HEALTHY_SECONDS = 180.0
COMPOSE_SECONDS = 300.0
LOOK_SECONDS = 0.3
IMAGES, CONTAINERS = "images", "containers"
UP = ("up", "--detach", "--no-build")
CLEAN = "make clean MODE=docker"
# Whom one has started on request goes with the others.
EVERY_PROFILE = ("--profile", "jaeger")
NAMELESS = re.compile("[0-9a-f]{64}")
DOCTOR = "make doctor MODE=docker"
PORT = "set FUSEBOX_PORT_OFFSET, or end who holds the port."
PULL = "docker pull it, or name another: POSTGRES_IMAGE, KAFKA_IMAGE, ZIPKIN_IMAGE."
VOLUME = f"a volume is of another version: {CLEAN} (all orders are gone then)."
OTHERS = (
    f"the volumes were made with other secrets, by another clone perhaps: {CLEAN} (all orders are"
    " gone then), or another FUSEBOX_HOME."
)
MEMORY = "give Docker 2 GB of memory, or end other containers."
REMEDIES = {
    "port is already allocated": PORT,
    "address already in use": PORT,
    "No such image": "docker compose build, or remove MODE to run without containers.",
    "no space left": "free some disk: `docker system df` shows what Docker has.",
    "annot allocate memory": MEMORY,
    "want of memory": MEMORY,
    "incompatible with": VOLUME,
    "there is a database in": VOLUME,
    "database format": VOLUME,
    "password authentication failed": OTHERS,
    "pull access denied": PULL,
    "manifest unknown": PULL,
    "failed to resolve": PULL,
    "dial tcp": PULL,
}


class ContainerStartup:
    """One run of `up` on a stack that has no containers."""

    def __init__(self, stack: Stack, display: Display) -> None:
        self._stack = stack
        self._display = display
        self._containers = Containers(stack)
        self._healths = Healths(stack)
        self._cancelled = threading.Event()
        self.late: list[str] = []

    def run(self) -> None:
        """Raises what went wrong; nothing is left running then."""
        compose.refuse_unfit()
        refuse_taken(self._stack)
        self._stack.remember_address()
        secrets.hand_out(self._stack.handed, self._stack.home / "secrets")
        try:
            run_steps(self._steps(), self._display, self._display.tick, self._cancelled)
        except BaseException:
            self._cancelled.set()
            down(self._stack)
            raise
        self._stack.docker_mark.touch()

    def _steps(self) -> list[Step]:
        return [
            Step(IMAGES, partial(images.ensure, self._stack)),
            Step(CONTAINERS, self._up, (IMAGES,)),
            *(Step(part.name, partial(self._wait, part), (IMAGES,)) for part in PARTS),
            Step("shop", self._wait_until_open, (CONTAINERS, *(part.name for part in PARTS))),
        ]

    def _up(self) -> None:
        try:
            compose.compose(self._stack, *UP, timeout=COMPOSE_SECONDS)
        except Fault as fault:
            where = "\n".join([*fault.where.splitlines()[-1:], *self._last_words()])
            raise Fault(
                "compose could not start the shop", where=where, remedy=_remedy(where)
            ) from fault

    def _last_words(self) -> list[str]:
        """The ends of the logs of all that have failed."""
        failed = [
            container
            for container in compose.inspect(self._stack)
            if _has_failed(container["State"])
        ]
        return [compose.tail(container["Name"].removeprefix("/")) for container in failed]

    def _wait(self, part: Part) -> None:
        instance = part.instance()
        try:
            wait_until(
                lambda: self._healths.is_ready(instance),
                HEALTHY_SECONDS,
                instance,
                self._cancelled,
            )
        except Late as fault:
            if part.optional:
                self.late.append(fault.what)
                return
            state = self._containers.states().get(instance)
            why = f": {state.reason}" if state and state.reason else ""
            where = self._containers.tail(instance)
            raise Fault(fault.what + why, where=where, remedy=_remedy(why + where)) from fault

    def _wait_until_open(self) -> None:
        wait_until(
            lambda: remote.run(self._stack, health.shop_is_open),
            HEALTHY_SECONDS,
            "every service at the gateway, each knowing the others",
            self._cancelled,
            pause=LOOK_SECONDS,
        )


class Healths:
    """Who is ready, asked for all who wait at a time; the engine's own checks cost far more."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._lock = threading.Lock()
        self._looked = 0.0
        self._ready: set[str] = set()

    def is_ready(self, instance: str) -> bool:
        with self._lock:
            if time.monotonic() > self._looked + LOOK_SECONDS:
                self._ready = self._look()
                self._looked = time.monotonic()
            return instance in self._ready

    def _look(self) -> set[str]:
        try:
            verdicts = remote.run(self._stack, health.of_each_part)
        except Fault:  # the container that asks is not there yet
            return set()
        return {instance for instance, verdict in verdicts.items() if verdict.healthy}


def _has_failed(state: dict[str, Any]) -> bool:
    return bool(state["ExitCode"]) or state.get("InstanceHealth", {}).get("Status") == "unhealthy"


def _remedy(message: str) -> str:
    """What to do about the engine's commoner words."""
    return next((remedy for words, remedy in REMEDIES.items() if words in message), DOCTOR)


def down(stack: Stack) -> bool:
    """Remove the containers and keep the volumes; False when there were none."""
    there = compose.inspect(stack)
    if there:
        # What is paused hears no request to end.
        for state in Containers(stack).states().values():
            if state.is_paused:
                compose.docker("unpause", state.host)
        with suppress(Fault):  # who is to forget may not run
            canary_mark.forget(stack)
            remote.run(stack, canary_mark.forget_shares)
            remote.run(stack, eureka_zone.forget)
        with progress.step("remove the containers"):
            compose.compose(stack, *EVERY_PROFILE, "down", timeout=COMPOSE_SECONDS)
        _remove_nameless_volumes(there)
    stack.docker_mark.unlink(missing_ok=True)
    return bool(there)


def _remove_nameless_volumes(described: list[dict[str, Any]]) -> None:
    """Those of the containers that are gone: nobody would find them again."""
    mounts = [
        mount
        for container in described
        for mount in container["Mounts"]
        if mount["Type"] == "volume"
    ]
    nameless = {mount["Name"] for mount in mounts if NAMELESS.fullmatch(mount["Name"])}
    if nameless:
        compose.docker("volume", "rm", "--force", *nameless)


def clean(stack: Stack) -> None:
    """Remove the volumes and the secrets with them; `down` came before."""
    compose.compose(stack, *EVERY_PROFILE, "down", "--volumes", timeout=COMPOSE_SECONDS)
    secrets.remove(stack.handed)

"""The programs of a stack as its supervisor runs them: command, environment, account."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from fusebox.core.stack import Stack
from fusebox.core.topology import AOT_CACHE_PROCESS, Part
from fusebox.native import kafka, postgres, zipkin
from fusebox.runtime.driver import STOP_WAIT_SECONDS

LOG_BYTES = 10 * 1024 * 1024
OLD_LOGS_KEPT = 2


@dataclass(frozen=True)
class Program:
    """One supervised process; `lasting` ones are started again when they die by themselves."""

    name: str
    command: list[str]
    environment: dict[str, str] = field(default_factory=dict)
    account: str | None = None
    stop_signal: str = "TERM"
    lasting: bool = True

    def configuration(self, logs: Path) -> str:
        """The program's section of supervisord's configuration."""
        settings = {
            "command": shlex.join(self.command),
            "directory": "/",
            "autostart": "false",
            "autorestart": "true" if self.lasting else "false",
            # Who dies within these seconds is started again after a growing pause.
            "startsecs": "5" if self.lasting else "0",
            "startretries": "1000000" if self.lasting else "0",
            "stopsignal": self.stop_signal,
            "stopwaitsecs": str(STOP_WAIT_SECONDS),
            "stopasgroup": "false" if self.lasting else "true",
            "killasgroup": "true",
            "redirect_stderr": "true",
            "stdout_logfile": str(logs / f"{self.name}.log"),
            "stdout_logfile_maxbytes": str(LOG_BYTES),
            "stdout_logfile_backups": str(OLD_LOGS_KEPT),
            "environment": _listed(self.environment),
        }
        if self.account is not None:
            settings["user"] = self.account
        lines = [f"{name}={escaped(value)}" for name, value in settings.items() if value]
        return "\n".join([f"[program:{self.name}]", *lines, ""])


def _listed(environment: dict[str, str]) -> str:
    return ",".join(f'{name}="{value}"' for name, value in environment.items())


def escaped(value: str) -> str:
    """`value` as supervisord's configuration takes it: a lone % would begin a name."""
    return value.replace("%", "%%")


def postgres_program(stack: Stack, place: postgres.Place) -> Program:
    return Program(
        "postgres-1",
        place.command(stack.port("postgres")),
        account=place.account,
        stop_signal="INT",  # the quick way down; TERM would wait for every client to leave
    )


def kafka_program(stack: Stack) -> Program:
    return Program("kafka-1", kafka.command(stack))


def zipkin_program(stack: Stack) -> Program:
    # It keeps nothing, and its own way of ending takes two seconds.
    return Program("zipkin-1", zipkin.command(stack), stop_signal="KILL")


def aot_cache_program() -> Program:
    return Program(
        AOT_CACHE_PROCESS, [sys.executable, "-m", "fusebox.native.aot_cache"], lasting=False
    )


def throttle_name(part: Part) -> str:
    return f"throttle-{part.name}"


def throttle_program(part: Part, pid: int, milliseconds: int) -> Program:
    """Slows down the process `pid` of `part`, and ends with it."""
    command = [sys.executable, "-m", "fusebox.native.throttle", str(pid), str(milliseconds)]
    return Program(throttle_name(part), command, lasting=False)


def service_program(
    stack: Stack, part: Part, number: int = 1, more: Mapping[str, str] | None = None
) -> Program:
    """`more` is what this instance is told beside its name and its folder."""
    instance = part.instance(number)
    command = [sys.executable, "-m", f"{part.module}.main"]
    environment = {**own_environment(stack, instance), **(more or {})}
    return Program(instance, command, environment=environment)


def own_environment(stack: Stack, instance: str) -> dict[str, str]:
    """What only this instance is told."""
    state = stack.data / "state" / instance
    return {"FUSEBOX_INSTANCE": instance, "FUSEBOX_STATE": str(state)}

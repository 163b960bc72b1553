"""What supervisord itself lacks: a SIGKILL after which the process stays dead."""

from __future__ import annotations

import signal
from contextlib import suppress
from typing import Any

import psutil
from supervisor.xmlrpc import Faults, RPCError


class FuseboxInterface:
    """Runs inside supervisord; its methods are called as `fusebox.*` over its socket."""

    def __init__(self, supervisord: Any) -> None:
        self._supervisord = supervisord

    def killForGood(self, name: str) -> bool:  # noqa: N802  (supervisord's manner of naming)
        """SIGKILL the process `name` with all it has begun, and do not start it again."""
        process = self._process(name)
        family = _descendants(process.pid)
        process.administrative_stop = True
        # Marks it as being stopped on request, which is why it is not started again.
        if process.kill(signal.SIGKILL) is not None:
            raise RPCError(Faults.NOT_RUNNING, name)
        for member in family:
            with suppress(psutil.NoSuchProcess):
                member.kill()
        return True

    def _process(self, name: str) -> Any:
        group = self._supervisord.process_groups.get(name)
        if group is None:
            raise RPCError(Faults.BAD_NAME, name)
        return group.processes[name]


def _descendants(pid: int) -> list[psutil.Process]:
    if not pid:
        return []
    try:
        return psutil.Process(pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def make_interface(supervisord: Any, **_settings: str) -> FuseboxInterface:
    return FuseboxInterface(supervisord)

"""Programs that ops runs and waits for: logged, and ended when the wait is given up."""

from __future__ import annotations

import os
import pwd
import subprocess
import threading
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import TypedDict

from fusebox.core.errors import Fault
from fusebox.core.wait import POLL_SECONDS, Cancelled
from fusebox.logs.files import tail


class Account(TypedDict, total=False):
    """What `subprocess` is told to run a program as another user."""

    user: int
    group: int
    extra_groups: list[int]
    cwd: str


def account_of(account: str | None) -> Account:
    if account is None:
        return {}
    entry = pwd.getpwnam(account)
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": [], "cwd": "/"}


class Subprocesses:
    """Runs programs to their end; `cancelled` kills those under way."""

    def __init__(self, environment: Mapping[str, str], cancelled: threading.Event) -> None:
        self._environment = dict(environment)
        self._cancelled = cancelled

    def run(
        self,
        name: str,
        command: list[str],
        log: Path,
        account: str | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        """Raises Fault with the end of its `log` when it does not end with 0."""
        if self._cancelled.is_set():
            raise Cancelled(name)
        with log.open("wb") as output:
            os.fchmod(output.fileno(), 0o600)
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env={**self._environment, **(environment or {})},
                start_new_session=True,
                **account_of(account),
            )
            code = self._wait(process)
        if code != 0:
            raise Fault(f"{name} failed with exit status {code}", where=tail(log))

    def _wait(self, process: subprocess.Popen[bytes]) -> int:
        while True:
            with suppress(subprocess.TimeoutExpired):
                return process.wait(POLL_SECONDS)
            if self._cancelled.is_set():
                process.kill()
                process.wait()
                raise Cancelled(process.args)

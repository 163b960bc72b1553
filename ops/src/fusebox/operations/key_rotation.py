"""`rotate-keys`: another key signs the tokens from now on, and nobody is logged out.

The new key is published first and signs once everybody who checks tokens has it; the old one is
published, its public half alone, until user-service knows its tokens to be over.  Each step can be
taken again, so that a rotation which was cut short is finished by the next one.
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from fusebox.core import secrets
from fusebox.core.errors import Fault
from fusebox.core.files import locked, write_whole
from fusebox.core.secrets import NEXT_KEY, RETIRED_KEYS, SIGNING_KEY, public_key
from fusebox.core.stack import Stack
from fusebox.core.topology import secret_readers
from fusebox.core.wait import Late, wait_until
from fusebox.operations.drivers import running_driver
from fusebox.runtime import health, remote
from fusebox.runtime.driver import Driver

KNOWN_SECONDS = 30.0
PAUSE_SECONDS = 0.25
# Longer ago than any token lives; user-service itself knows how long that is.
FORGOTTEN_SECONDS = 7 * 86_400


@dataclass(frozen=True)
class KeyRotation:
    """The ids of both keys, as they stand in the head of a token (`kid`)."""

    old: str
    new: str


def rotate(stack: Stack) -> KeyRotation:
    """Raises Fault, with the old key still signing, when not all take the new one."""
    driver = running_driver(stack)
    with locked(stack.run / "rotate-keys.lock"):
        folders = _folders(stack)
        old = _pem(folders, SIGNING_KEY)
        new = _pem(folders, NEXT_KEY)
        if new in ("", old):
            new = secrets.new(SIGNING_KEY).decode()
        ids = KeyRotation(public_key(old)["kid"], public_key(new)["kid"])
        _write(folders, NEXT_KEY, new.encode())
        _wait_until_known(stack, driver, ids.new)
        _write(folders, RETIRED_KEYS, _retired(folders, old))
        # The old private key is gone with this: it may be why there is a rotation.
        _write(folders, SIGNING_KEY, new.encode())
        for folder in folders:
            (folder / NEXT_KEY).unlink(missing_ok=True)
    return ids


def _folders(stack: Stack) -> list[Path]:
    """Where the key lies: a shop of containers has a folder for each that reads it."""
    if stack.mode != "docker":
        return [stack.secrets]
    readers = [reader for reader, names in secret_readers().items() if SIGNING_KEY in names]
    return [stack.handed / reader for reader in readers]


def _pem(folders: Sequence[Path], name: str) -> str:
    """Empty when nobody has it."""
    return next((file.read_text() for folder in folders if (file := folder / name).exists()), "")


def _write(folders: Sequence[Path], name: str, content: bytes) -> None:
    for folder in folders:
        # As the signing key's: a container may run under any user id, within a closed folder.
        mode = (folder / SIGNING_KEY).stat().st_mode & 0o777
        write_whole(folder / name, content, mode)


def _retired(folders: Sequence[Path], pem: str) -> bytes:
    now, key = time.time(), public_key(pem)
    before = json.loads(_pem(folders, RETIRED_KEYS) or "[]")
    recent = [
        retired
        for retired in before
        if retired["kid"] != key["kid"] and retired["retiredAt"] > now - FORGOTTEN_SECONDS
    ]
    return json.dumps([*recent, {**key, "retiredAt": now}], indent=2).encode()


def _wait_until_known(stack: Stack, driver: Driver, key_id: str) -> None:
    late: list[str] = []

    def is_known() -> bool:
        states = driver.states().items()
        awake = [name for name, state in states if state.is_running and not state.is_paused]
        late[:] = remote.run(stack, health.without_key, key_id, awake)
        return not late

    try:
        wait_until(is_known, KNOWN_SECONDS, "the new key", pause=PAUSE_SECONDS)
    except Late as error:
        raise Fault(
            f"the old key goes on signing: {', '.join(late)} did not take the new one",
            remedy="make status shows whether they are well; make rotate-keys again takes up here.",
        ) from error

"""The secrets of a shop of containers: each in the folders of those that read it.

`python -m fusebox.docker.secrets FOLDER` is what compose runs before all else.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path

from fusebox.core import secrets
from fusebox.core.files import write_whole
from fusebox.core.topology import SERVICE_KEYS, secret_readers

READERS = secret_readers()


def hand_out(folder: Path, own: Path | None = None) -> None:
    """Write what is missing in `folder` and in `own`, the whole set that a native shop reads.

    A container may run under any user id, so the files are readable to all; that only they are
    reached is the work of `folder`, which is closed.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.chmod(0o700)
    for name in secrets.NAMES:
        copies = [folder / reader / name for reader, names in READERS.items() if name in names]
        originals = [own / name] if own else []
        value = _first(copies) or _first(originals) or secrets.new(name)
        for copy in copies:
            copy.parent.mkdir(mode=0o755, exist_ok=True)
            _write_missing(copy, value, 0o644)
        for original in originals:
            _write_missing(original, value, 0o600)
    _hand_out_service_keys(folder)


def _hand_out_service_keys(folder: Path) -> None:
    keys = secrets.service_keys(
        lambda name: _first(folder / reader / name for reader in READERS).decode()
    )
    for reader, names in READERS.items():
        if SERVICE_KEYS in names:
            secrets.write_changed(folder / reader / SERVICE_KEYS, keys, 0o644)


def _first(files: Iterable[Path]) -> bytes:
    return next((file.read_bytes() for file in files if file.exists()), b"")


def _write_missing(file: Path, value: bytes, mode: int) -> None:
    if not file.exists():
        write_whole(file, value, mode)


def remove(folder: Path) -> None:
    """Take them back; the folders stay, as a fresh clone has them."""
    for reader, names in READERS.items():
        for name in (*names, secrets.NEXT_KEY, secrets.RETIRED_KEYS):
            (folder / reader / name).unlink(missing_ok=True)


if __name__ == "__main__":
    hand_out(Path(sys.argv[1]))

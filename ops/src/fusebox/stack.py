"""One stack: its home folder, its ports, and where everything of it lies."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from fusebox.errors import Fault

BASE_PORTS = {
    "gateway": 8000,
    "discovery": 8761,
    "config-server": 8888,
    "zipkin": 9411,
    "kafka": 9092,
    "kafka-controller": 9093,
    "postgres": 15432,
}
HIGHEST_OFFSET = 65535 - max(BASE_PORTS.values())
# The kernel takes 107 bytes for a socket's path; supervisord adds its pid while it binds.
LONGEST_SOCKET_PATH = 92
# They would need quoting that supervisord's configuration files do not have.
CHARACTERS_REFUSED = "\"'\\;\n\r\t"


@dataclass(frozen=True)
class Stack:
    """Where one shop lives. Two homes and two offsets make two shops, side by side."""

    home: Path
    clone: Path
    offset: int = 0
    bind: str = "127.0.0.1"

    @classmethod
    def from_environment(cls, environment: Mapping[str, str], clone: Path | None = None) -> Stack:
        clone = clone or Path(__file__).resolve().parents[3]
        home = Path(environment.get("FUSEBOX_HOME") or clone / ".fusebox")
        return cls(
            home=_checked_home(home.resolve()),
            clone=clone,
            offset=_offset(environment.get("FUSEBOX_PORT_OFFSET") or "0"),
            bind=environment.get("FUSEBOX_BIND") or "127.0.0.1",
        )

    @property
    def ports(self) -> dict[str, int]:
        return {name: port + self.offset for name, port in BASE_PORTS.items()}

    def port(self, name: str) -> int:
        return BASE_PORTS[name] + self.offset

    @property
    def host(self) -> str:
        """The address under which a program on this machine reaches what listens on `bind`."""
        return "127.0.0.1" if self.bind in ("0.0.0.0", "::", "") else self.bind

    def url(self, name: str) -> str:
        return f"http://{self.host}:{self.port(name)}"

    @property
    def data(self) -> Path:
        return self.home / "data"

    @property
    def logs(self) -> Path:
        return self.home / "logs"

    @property
    def secrets(self) -> Path:
        return self.home / "secrets"

    @property
    def run(self) -> Path:
        return self.home / "run"

    @property
    def config(self) -> Path:
        """What was set by hand, over the clone's `config/`."""
        return self.home / "config"

    @property
    def native(self) -> Path:
        return self.clone / "deploy" / "native"

    @property
    def key(self) -> str:
        """A short name for this home, for what cannot lie in it."""
        return hashlib.sha256(str(self.home).encode()).hexdigest()[:12]

    @property
    def socket(self) -> Path:
        path = self.run / "supervisor.sock"
        if len(os.fsencode(path)) <= LONGEST_SOCKET_PATH:
            return path
        return Path(tempfile.gettempdir()) / f"fusebox-{os.getuid()}-{self.key}" / "s.sock"

    def make_folders(self) -> None:
        for folder in (self.home, self.data):
            folder.mkdir(parents=True, exist_ok=True)
        for private in (self.config, self.logs, self.secrets, self.run, self.socket.parent):
            private.mkdir(mode=0o700, exist_ok=True)
            _refuse_foreign(private)

    def environment(self) -> dict[str, str]:
        """What every process of the stack is told, by the names that `config/` refers to."""
        told = {
            "CONFIG_SERVER_URL": self.url("config-server"),
            # As addresses, for a comma in a folder's name would end it; the last one wins.
            "CONFIG_SERVER_LOCATION": f"{(self.clone / 'config').as_uri()},{self.config.as_uri()}",
            "FUSEBOX_PROFILE": "native",
            "FUSEBOX_BIND": self.bind,
            "FUSEBOX_HOME": str(self.home),
            "FUSEBOX_PORT_OFFSET": str(self.offset),
            "FUSEBOX_SECRETS": str(self.secrets),
            "FUSEBOX_STACK": str(self.home),
        }
        return told | {
            f"{name.upper().replace('-', '_')}_PORT": str(port) for name, port in self.ports.items()
        }


def _checked_home(home: Path) -> Path:
    if any(character in str(home) for character in CHARACTERS_REFUSED):
        raise Fault(
            f"the folder {str(home)!r} has a quote, backslash, semicolon or line break in its name",
            remedy="set FUSEBOX_HOME to a folder without them.",
            exit_code=2,
        )
    return home


def _offset(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) > HIGHEST_OFFSET:
        raise Fault(
            f"FUSEBOX_PORT_OFFSET is {text!r}",
            remedy=f"give a whole number from 0 to {HIGHEST_OFFSET}; it is added to every port.",
            exit_code=2,
        )
    return int(text)


def _refuse_foreign(folder: Path) -> None:
    owner = folder.lstat().st_uid
    if folder.is_symlink() or owner != os.getuid():
        raise Fault(
            f"{folder} belongs to user id {owner}, and you are {os.getuid()}",
            remedy="run as that user, or set FUSEBOX_HOME to a folder of your own.",
        )

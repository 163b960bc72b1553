"""One stack: its home folder, its mode, its addresses, and where everything of it lies."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, cast, get_args

from fusebox.core.errors import Fault
from fusebox.core.files import write_whole
from fusebox.core.topology import PORTS, PUBLISHED, part_named

# Plain processes; containers, seen from this machine; containers, seen from the one of ops.
Mode = Literal["native", "docker", "inside"]

HIGHEST_OFFSET = 65535 - max(PORTS.values())
USUAL_ADDRESS = {"FUSEBOX_PORT_OFFSET": "0", "FUSEBOX_BIND": "127.0.0.1"}
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
    mode: Mode = "native"

    @classmethod
    def from_environment(cls, environment: Mapping[str, str], clone: Path | None = None) -> Stack:
        clone = clone or Path(__file__).resolve().parents[4]
        home = Path(environment.get("FUSEBOX_HOME") or clone / ".fusebox").resolve()
        remembered = _remembered(_checked_home(home))
        return cls(
            home=home,
            clone=clone,
            offset=_offset(
                environment.get("FUSEBOX_PORT_OFFSET") or remembered["FUSEBOX_PORT_OFFSET"]
            ),
            bind=environment.get("FUSEBOX_BIND") or remembered["FUSEBOX_BIND"],
            mode=_mode(environment.get("FUSEBOX_MODE") or _mode_of(home)),
        )

    def remember_address(self) -> None:
        """Later verbs find the shop where it was started, without being told again."""
        write_whole(_address_file(self.home), json.dumps(self._address).encode())

    def forget_address(self) -> None:
        _address_file(self.home).unlink(missing_ok=True)

    def refuse_moved(self) -> None:
        """Raises Fault when the shop that runs in this home was started at another address."""
        remembered = _remembered(self.home)
        moved = [name for name, value in self._address.items() if remembered[name] != value]
        if not moved or not _is_up(self.home):
            return
        name = moved[0]
        raise Fault(
            f"this shop was started with {name}={remembered[name]}, and now {name} is"
            f" {self._address[name]}",
            where=f"its home: {self.home}",
            remedy=f"leave {name} out, and the shop's own is taken; `make down` before it moves;"
            " a second shop needs a FUSEBOX_HOME of its own.",
            exit_code=2,
        )

    @property
    def _address(self) -> dict[str, str]:
        return {"FUSEBOX_PORT_OFFSET": str(self.offset), "FUSEBOX_BIND": self.bind}

    @property
    def ports(self) -> dict[str, int]:
        """Those that this shop takes of this machine."""
        taken = PUBLISHED if self.mode == "docker" else PORTS
        return {name: self.port(name) for name in taken}

    def port(self, name: str) -> int:
        return PORTS[name] + self.offset

    @property
    def host(self) -> str:
        """The address under which a program on this machine reaches what listens on `bind`."""
        return "127.0.0.1" if self.bind in ("0.0.0.0", "::", "") else self.bind

    def address(self, name: str) -> tuple[str, int]:
        """Where the others reach the part `name`; of a shop of containers that is inside alone."""
        if self.mode == "native":
            return self.host, self.port(name)
        return name, part_named(name).port_inside

    def url(self, name: str) -> str:
        """Where this process reaches it; what is not published it does not."""
        is_published = self.mode == "docker" and name in PUBLISHED
        host, port = (self.host, self.port(name)) if is_published else self.address(name)
        return f"http://{host}:{port}"

    @property
    def data(self) -> Path:
        return self.home / "data"

    @property
    def logs(self) -> Path:
        return self.home / "logs"

    @property
    def secrets(self) -> Path:
        """The folder of the secrets that ops reads."""
        return self.home / "secrets" if self.mode == "native" else self.handed / "ops"

    @property
    def handed(self) -> Path:
        """The folders of secrets that containers read, each its own."""
        if self.mode == "inside":
            return Path("/run/secrets")
        if self.is_default:
            return self.clone / "deploy" / "docker" / "secrets"  # where compose looks by itself
        return self.home / "secrets"

    @property
    def is_default(self) -> bool:
        """Whether this is the shop that the clone has by itself."""
        return self.home == self.clone / ".fusebox"

    @property
    def docker_mark(self) -> Path:
        """Its presence tells later verbs that the shop of this home is one of containers."""
        return _docker_mark(self.home)

    @property
    def project(self) -> str:
        """What compose calls a shop of containers."""
        return "fusebox" if self.is_default else f"fusebox-{self.key}"

    def container(self, instance: str) -> str:
        """What compose calls the container of `instance`, and the others reach it by."""
        return f"{self.project}-{instance}"

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
        own = (self.config, self.logs, self.home / "secrets", self.run, self.socket.parent)
        for private in own:
            private.mkdir(mode=0o700, exist_ok=True)
            _refuse_foreign(private)

    def environment(self) -> dict[str, str]:
        """What every process of the stack is told, by the names that `config/` refers to."""
        environment = {
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
        return environment | {
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


def _address_file(home: Path) -> Path:
    return home / "address.json"


def _remembered(home: Path) -> dict[str, str]:
    """Where the shop of `home` was started last."""
    file = _address_file(home)
    try:
        remembered = json.loads(file.read_text()) if file.exists() else {}
        return {
            **USUAL_ADDRESS,
            **{name: str(remembered[name]) for name in USUAL_ADDRESS.keys() & remembered.keys()},
        }
    except (ValueError, TypeError, AttributeError) as error:
        raise Fault(
            f"{file} does not say where this shop is: {error}",
            remedy="remove it; then set FUSEBOX_PORT_OFFSET if the shop has one.",
        ) from error


def _is_up(home: Path) -> bool:
    """Whether anything was started there and not ended since."""
    return (home / "run" / "supervisord.pid").exists() or _docker_mark(home).exists()


def _mode_of(home: Path) -> str:
    """What runs there, the processes first; as long as nothing does, it is a shop of them."""
    is_docker = _docker_mark(home).exists() and not (home / "run" / "supervisord.pid").exists()
    return "docker" if is_docker else "native"


def _docker_mark(home: Path) -> Path:
    return home / "run" / "docker"


def _mode(text: str) -> Mode:
    if text not in get_args(Mode):
        raise Fault(
            f"FUSEBOX_MODE is {text!r}",
            remedy="give native or docker: make up MODE=docker.",
            exit_code=2,
        )
    return cast("Mode", text)


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

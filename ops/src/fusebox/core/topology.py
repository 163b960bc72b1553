"""What the shop is made of, as `topology.toml` declares it."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from fusebox.core.errors import Fault
from fusebox.core.suggestions import hint

PartKind = Literal["infrastructure", "platform", "service"]

FILE = Path(__file__).resolve().parents[1] / "topology.toml"
# Inside their containers all services listen on the same port.
SERVICE_PORT = 8080
DEAD_LETTER_PARTITIONS = 1
# A process of a shop that belongs to no part: it makes the JVM's caches.
AOT_CACHE_PROCESS = "java-training"


@dataclass(frozen=True)
class Part:
    """A part has one instance, or, as a service, several that take free ports.

    The fields are explained at the head of `topology.toml`.
    """

    name: str
    kind: PartKind
    memory: str
    image: str = ""
    source: str = ""
    port: int | None = None
    container_port: int | None = None
    controller_port: int | None = None
    loopback: bool = False
    published: bool = False
    optional: bool = False
    needs: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    database: str = ""
    called_by: tuple[str, ...] = ()
    secrets: tuple[str, ...] = ()

    @property
    def module(self) -> str:
        return self.name.replace("-", "_")

    @property
    def is_ours(self) -> bool:
        return self.kind != "infrastructure"

    @property
    def port_inside(self) -> int:
        """Where it listens in its container."""
        return self.container_port or self.port or SERVICE_PORT

    @property
    def database_secret(self) -> str:
        return f"{self.name}-db-password"

    def instance(self, number: int = 1) -> str:
        return f"{self.name}-{number}"

    def among(self, names: Iterable[str]) -> list[str]:
        """Its instances among `names`, in the order of their numbers."""
        own = [name for name in names if name.rpartition("-")[0] == self.name]
        return sorted(own, key=number_of)


@dataclass(frozen=True)
class Tool:
    """The command line as a container beside the parts."""

    source: str
    distribution: str
    secrets: tuple[str, ...]
    memory: str


@dataclass(frozen=True)
class DeadLetterOptions:
    """What is special about the topics of dead letters, all of them."""

    retention_days: int
    max_message_bytes: int


@dataclass(frozen=True)
class Topic:
    name: str
    partitions: int
    compacted: bool = False
    published_by: tuple[str, ...] = ()
    read_by: tuple[str, ...] = ()
    dead_letters: bool = True

    @property
    def dead_letter_topic(self) -> str:
        return f"{self.name}.dead"


def _fields(table: Mapping[str, Any]) -> dict[str, Any]:
    """A table of the file as arguments of its dataclass, which refuses what it does not know."""
    return {
        key.replace("-", "_"): tuple(value) if isinstance(value, list) else value
        for key, value in table.items()
    }


_DECLARED = tomllib.loads(FILE.read_text())

PARTS = tuple(Part(name=name, **_fields(table)) for name, table in _DECLARED["parts"].items())
OPS = Tool(**_fields(_DECLARED["ops"]))
DEAD_LETTERS = DeadLetterOptions(**_fields(_DECLARED["dead-letters"]))
TOPICS = tuple(Topic(name=name, **_fields(table)) for name, table in _DECLARED["topics"].items())

BY_NAME = {part.name: part for part in PARTS}
SERVICES = tuple(part for part in PARTS if part.kind == "service")
DATABASES = {part.database: part for part in PARTS if part.database}
DEAD_LETTER_TOPICS = tuple(topic.dead_letter_topic for topic in TOPICS if topic.dead_letters)
# The fixed ports by name: those of the parts, and the one that Kafka's controller has for itself.
PORTS = {part.name: part.port for part in PARTS if part.port} | {
    f"{part.name}-controller": part.controller_port for part in PARTS if part.controller_port
}
LOOPBACK_PORTS = frozenset(
    {part.name for part in PARTS if part.loopback}
    | {f"{part.name}-controller" for part in PARTS if part.controller_port}
)
PUBLISHED = tuple(part.name for part in PARTS if part.published)


# Who has an identity of its own: our processes, and the command line.
OPS_NAME = "ops"
IDENTITIES = (*(part.name for part in PARTS if part.is_ours), OPS_NAME)
# The public keys of all of them, and who may call whom.
SERVICE_KEYS = "service-keys.json"


def identity_key(name: str) -> str:
    """The secret with which it signs who it is."""
    return f"{name}-key.pem"


# Foreign applications, to discovery and config-server.
GUEST = "guest"


def guest_password(server: str) -> str:
    return f"{server}-guest-password"


def callable_by(caller: str) -> list[str]:
    """Whom `caller` may call."""
    return [
        part.name
        for part in PARTS
        if part.is_ours and (caller in part.called_by or "*" in part.called_by)
    ]


def secret_readers() -> dict[str, tuple[str, ...]]:
    """The secrets that each container reads, by its name."""
    passwords = tuple(part.database_secret for part in DATABASES.values())
    own = {
        part.name: (
            *((part.database_secret,) if part.database else ()),
            *part.secrets,
            *_identity_files(part.name),
        )
        for part in PARTS
    }
    own["postgres"] = (*own["postgres"], *passwords)
    own[OPS_NAME] = (*OPS.secrets, *_identity_files(OPS_NAME))
    return {name: names for name, names in own.items() if names}


def _identity_files(name: str) -> tuple[str, ...]:
    return (identity_key(name), SERVICE_KEYS) if name in IDENTITIES else ()


def part_named(name: str) -> Part:
    if name in BY_NAME:
        return BY_NAME[name]
    part, _, number = name.rpartition("-")
    if part in BY_NAME and number.isdecimal():
        meant = (
            f"one instance of a part is named by two variables: SERVICE={part} INSTANCE={number}."
        )
    else:
        meant = f"{hint(name, BY_NAME)}SERVICE is one of {', '.join(sorted(BY_NAME))}."
    raise Fault(f"there is no part called {name!r}", remedy=meant, exit_code=2)


def is_instance(name: str) -> bool:
    """Whether the supervised process `name` is an instance of a part, and no helper."""
    return name.rpartition("-")[0] in BY_NAME


def number_of(instance: str) -> int:
    return int(instance.rpartition("-")[2])


def part_of(instance: str) -> Part:
    """The part that `order-service-1` is an instance of."""
    return part_named(instance.rpartition("-")[0])

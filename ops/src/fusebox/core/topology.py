"""What the shop is made of: each part's name, kind and instances."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from fusebox.core.errors import Fault

Kind = Literal["infrastructure", "platform", "service"]


@dataclass(frozen=True)
class Part:
    """A part has one instance, or, as a service, several that take free ports."""

    name: str
    kind: Kind

    @property
    def module(self) -> str:
        return self.name.replace("-", "_")

    @property
    def is_ours(self) -> bool:
        return self.kind != "infrastructure"

    def instance(self, number: int = 1) -> str:
        return f"{self.name}-{number}"

    def among(self, names: Iterable[str]) -> list[str]:
        """Its instances among `names`, in the order of their numbers."""
        own = [each for each in names if each.rpartition("-")[0] == self.name]
        return sorted(own, key=number_of)


PARTS = (
    Part("postgres", "infrastructure"),
    Part("kafka", "infrastructure"),
    Part("zipkin", "infrastructure"),
    Part("config-server", "platform"),
    Part("discovery", "platform"),
    Part("user-service", "service"),
    Part("catalog-service", "service"),
    Part("order-service", "service"),
    Part("gateway", "platform"),
)
BY_NAME = {part.name: part for part in PARTS}
SERVICES = tuple(part for part in PARTS if part.kind == "service")
TRAINING = "java-training"


def part_named(name: str) -> Part:
    if name not in BY_NAME:
        raise Fault(
            f"there is no part called {name!r}",
            remedy=f"name one of {', '.join(sorted(BY_NAME))}.",
            exit_code=2,
        )
    return BY_NAME[name]


def is_instance(name: str) -> bool:
    """Whether the supervised process `name` is an instance of a part, and no helper."""
    return name.rpartition("-")[0] in BY_NAME


def number_of(instance: str) -> int:
    return int(instance.rpartition("-")[2])


def part_of(instance: str) -> Part:
    """The part that `order-service-1` is an instance of."""
    return part_named(instance.rpartition("-")[0])

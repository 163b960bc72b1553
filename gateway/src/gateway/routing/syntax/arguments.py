"""The arguments of one predicate or filter, read as what they stand for."""

import re
from collections.abc import Callable, Mapping
from typing import TypeVar

from gateway.routing.syntax import patterns

T = TypeVar("T")

REQUIRED = "\0"
UNITS = {"": 1.0, "ns": 1e-9, "us": 1e-6, "ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400}
# As java.time.Duration is written: PT0.5S, PT1M30S.
ISO_DURATION = re.compile(r"PT(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?", re.IGNORECASE)


class Arguments:
    """Every error begins with the argument's name."""

    def __init__(self, given: Mapping[str, str]) -> None:
        self.given = given

    def __contains__(self, name: str) -> bool:
        return name in self.given

    def text(self, name: str, default: str = REQUIRED) -> str:
        value = self.given.get(name, default)
        if value == REQUIRED or not (value or default == ""):
            raise ValueError(f"{name}: is missing")
        return value

    def texts(self, name: str, default: str = REQUIRED) -> tuple[str, ...]:
        """The parts between commas, but for those within braces and brackets."""
        parts = [part.strip() for part in patterns.split(self.text(name, default), ",")]
        if not all(parts):
            raise ValueError(f"{name}: there is nothing between two commas")
        return tuple(parts)

    def read(self, name: str, reader: Callable[[str], T], default: str = REQUIRED) -> T:
        """What `reader` makes of the text; its ValueError is raised with the argument's name."""
        return _named(name, reader, self.text(name, default))

    def read_all(self, name: str, reader: Callable[[str], T], default: str = REQUIRED) -> list[T]:
        """What `reader` makes of each part between commas."""
        return [_named(name, reader, text) for text in self.texts(name, default)]

    def number(self, name: str, default: str = REQUIRED, least: int = 0) -> int:
        return self.read(name, lambda text: number(text, least), default)

    def flag(self, name: str, default: str) -> bool:
        return self.one_of(name, ("true", "false"), default) == "true"

    def one_of(self, name: str, known: tuple[str, ...], default: str = REQUIRED) -> str:
        value = self.text(name, default)
        for choice in known:
            if choice.lower() == value.lower():
                return choice
        raise ValueError(f"{name}: {value!r} is unknown (known: {', '.join(known)})")

    def fraction(self, name: str, default: str = REQUIRED) -> float:
        value = self.read(name, float, default)
        if not 0 <= value <= 1:
            raise ValueError(f"{name}: {self.text(name, default)!r} is not between 0 and 1")
        return value

    def seconds(self, name: str, default: str = REQUIRED, unit: str = "s") -> float:
        """`500ms`, `30s`, `2m` or `PT0.5S`; a number alone is of `unit`."""
        return self.read(name, lambda text: seconds(text, unit), default)


def _named(name: str, reader: Callable[[str], T], text: str) -> T:
    try:
        return reader(text)
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from error


def number(text: str, least: int = 0) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 10 and int(text) >= least):
        raise ValueError(f"{text!r} is not a whole number of at least {least}")
    return int(text)


def seconds(text: str, unit: str = "s") -> float:
    given = text.strip()
    if (iso := ISO_DURATION.fullmatch(given)) and any(iso.groups()):
        hours, minutes, rest = (float(part or 0) for part in iso.groups())
        return hours * 3600 + minutes * 60 + rest
    plain = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([a-z]*)", given)
    if plain is None or plain[2] not in UNITS or not given.isascii():
        raise ValueError(f"{text!r} is not a duration such as 500ms, 30s or 2m")
    return float(plain[1]) * UNITS[plain[2] or unit]

"""The two ways to write a predicate or a filter: `Name=a, b` and `{name: Name, args: {…}}`."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

T = TypeVar("T")

REQUIRED = "\0"
# Where Spring keeps its buckets; ours are in memory, under the same names.
REDIS = "redis-rate-limiter."


class Arguments:
    """The arguments of one predicate or filter.  Every error begins with the argument's name."""

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
        """The parts between commas."""
        parts = [part.strip() for part in self.text(name, default).split(",")]
        if not all(parts):
            raise ValueError(f"{name}: there is nothing between two commas")
        return tuple(parts)

    def read(self, name: str, reader: Callable[[str], T], default: str = REQUIRED) -> T:
        """What `reader` makes of the text; its ValueError is raised with the argument's name."""
        return _named(name, reader, self.text(name, default))

    def read_all(self, name: str, reader: Callable[[str], T]) -> list[T]:
        """What `reader` makes of each part between commas."""
        return [_named(name, reader, text) for text in self.texts(name)]

    def number(self, name: str, default: str = REQUIRED, least: int = 0) -> int:
        text = self.text(name, default)
        if not (text.isascii() and text.isdigit() and len(text) < 10 and int(text) >= least):
            raise ValueError(f"{name}: {text!r} is not a whole number of at least {least}")
        return int(text)

    def fraction(self, name: str, default: str = REQUIRED) -> float:
        value = self.read(name, float, default)
        if not 0 <= value <= 1:
            raise ValueError(f"{name}: {self.text(name, default)!r} is not between 0 and 1")
        return value

    def seconds(self, name: str, default: str = REQUIRED) -> float:
        """`30`, `30s`, `500ms` or `2m`."""
        return self.read(name, seconds, default)


def _named(name: str, reader: Callable[[str], T], text: str) -> T:
    try:
        return reader(text)
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from error


def seconds(text: str) -> float:
    units = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
    number = text.strip().rstrip("msh")
    unit = text.strip()[len(number) :] or "s"
    if unit not in units or not number.replace(".", "", 1).isdigit():
        raise ValueError(f"{text!r} is not a duration such as 500ms, 30s or 2m")
    return float(number) * units[unit]


@dataclass(frozen=True, slots=True)
class Factory(Generic[T]):
    """How one predicate or filter is made, as Spring's PredicateFactory and FilterFactory.

    `fields` are its arguments in the order of the shortcut form, where the last one takes all that
    is left, commas included; `more` are those that only the long form has.
    """

    make: Callable[[Arguments], T]
    fields: tuple[str, ...] = ()
    more: tuple[str, ...] = ()

    def check(self, given: Mapping[str, str]) -> None:
        known = self.fields + self.more
        for name in given:
            if name not in known:
                raise ValueError(f"{name}: is unknown (known: {', '.join(known) or 'none'})")


@dataclass(frozen=True, slots=True)
class Definition:
    """One predicate or filter as it was written: Spring's PredicateDefinition, FilterDefinition."""

    name: str
    args: Mapping[str, str]

    @property
    def quoted(self) -> str:
        """`Name a = 'x', b = 2`, as Spring's actuator shows it."""
        args = dict(self.args)
        if set(args) == {"name", "value"}:
            args = {args["name"]: args["value"]}
        pairs = (f"{k} = {v if v.isdigit() else repr(v)}" for k, v in args.items())
        return f"{self.name} {', '.join(pairs)}".rstrip()


def parse(where: str, given: Any, factories: Mapping[str, Factory[T]]) -> tuple[Definition, T]:
    """What `given` means; ValueError begins with `where`, and names the argument that is wrong."""
    try:
        name = _name(given)
        if name not in factories:
            raise ValueError(f"{name!r} is unknown (known: {', '.join(factories)})")
    except ValueError as error:
        raise ValueError(f"{where}: {error}") from error
    try:
        args = _args(given, factories[name])
        factories[name].check(args)
        return Definition(name, args), factories[name].make(Arguments(args))
    except ValueError as error:
        shown = given if isinstance(given, str) else name
        raise ValueError(f"{where}: {shown!r}: {error}") from error


def _name(given: Any) -> str:
    if isinstance(given, str):
        return given.partition("=")[0].strip()
    if isinstance(given, Mapping) and isinstance(given.get("name"), str):
        for key in given.keys() - {"name", "args"}:
            raise ValueError(f"{key}: unknown key (known: name, args)")
        return str(given["name"])
    raise ValueError("is neither a text such as Name=value nor a name with args")


def _args(given: Any, kind: Factory[Any]) -> dict[str, str]:
    if isinstance(given, str):
        return _shortcut(given.partition("=")[2], kind.fields)
    args = given.get("args") or {}
    if not isinstance(args, Mapping):
        raise ValueError("args: is not a table of names and values")
    return dict(_flat(args, ""))


def _shortcut(text: str, fields: tuple[str, ...]) -> dict[str, str]:
    if not text.strip():
        return {}
    if not fields:
        raise ValueError("has no shortcut form with arguments: write name and args")
    values = text.split(",", len(fields) - 1)
    return {name: value.strip() for name, value in zip(fields, values, strict=False)}


def _flat(args: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, str]]:
    for name, value in args.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield (prefix + str(name)).removeprefix(REDIS), _text(value)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list | tuple):
        return ",".join(_text(item) for item in value)
    return "" if value is None else str(value)

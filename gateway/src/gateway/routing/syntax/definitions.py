"""The two ways to write a predicate or a filter: `Name=a, b` and `{name: Name, args: {…}}`."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Generic, NamedTuple, TypeVar

from chassis.config.settings import relaxed
from gateway.routing.syntax import patterns
from gateway.routing.syntax.arguments import Arguments

T = TypeVar("T")

# Where Spring keeps its buckets; ours are in memory, under the same names.
REDIS = "redis-rate-limiter."
NOTHING: Mapping[str, str] = {}


@dataclass(frozen=True, slots=True)
class ShortcutConfigurable(Generic[T]):
    """How one predicate or filter is made, as Spring's interface of this name has it.

    `fields` are its arguments in the order of the shortcut form, where the last one takes all that
    is left, commas included; `more` are those that only the long form has.  `read_shortcut` is for
    one whose shortcut form is more than that.
    """

    make: Callable[[Arguments], T]
    fields: tuple[str, ...] = ()
    more: tuple[str, ...] = ()
    read_shortcut: Callable[[str], dict[str, str]] | None = None

    def named(self, given: Mapping[str, str]) -> dict[str, str]:
        """`given` under the names of the arguments, whose case and hyphens do not matter."""
        known = self.fields + self.more
        names = {relaxed(name): name for name in known}
        for name in given:
            if relaxed(name) not in names:
                raise ValueError(f"{name}: is unknown (known: {', '.join(known) or 'none'})")
        return {names[relaxed(name)]: value for name, value in given.items()}

    def shortcut(self, text: str) -> dict[str, str]:
        if not text.strip():
            return {}
        if self.read_shortcut:
            return self.read_shortcut(text)
        if not self.fields:
            raise ValueError("has no shortcut form with arguments: write name and args")
        values = _fields(patterns.split(text, ","), len(self.fields))
        return dict(zip(self.fields, values, strict=False))


class Parsed(NamedTuple, Generic[T]):
    """One predicate or filter: as it was written, and what it means."""

    name: str
    args: Mapping[str, str]
    meaning: T

    @property
    def quoted(self) -> str:
        """`Name a = 'x', b = 2`, as Spring's actuator shows it."""
        args = dict(self.args)
        if set(args) == {"name", "value"}:
            args = {args["name"]: args["value"]}
        pairs = (f"{k} = {v if v.isdigit() else repr(v)}" for k, v in args.items())
        return f"{self.name} {', '.join(pairs)}".rstrip()


def parse(
    where: str,
    given: Any,
    factories: Mapping[str, ShortcutConfigurable[T]],
    unsupported: Mapping[str, str] = NOTHING,
) -> Parsed[T]:
    """What `given` means; ValueError begins with `where`, and names the argument that is wrong.

    `unsupported` says of some names why they are not among the factories.
    """
    try:
        name = _name(given)
        if name in unsupported:
            raise ValueError(f"{name!r} is not supported: {unsupported[name]}")
        if name not in factories:
            raise ValueError(f"{name!r} is unknown (known: {', '.join(factories)})")
    except ValueError as error:
        raise ValueError(f"{where}: {error}") from error
    factory = factories[name]
    try:
        args = factory.named(_args(given, factory))
        return Parsed(name, args, factory.make(Arguments(args)))
    except ValueError as error:
        shown = given if isinstance(given, str) else name
        raise ValueError(f"{where}: {shown!r}: {error}") from error


def parse_all(
    where: str,
    given: Any,
    factories: Mapping[str, ShortcutConfigurable[T]],
    unsupported: Mapping[str, str] = NOTHING,
) -> list[Parsed[T]]:
    """Each of a list; `where` is the list's own place."""
    if not isinstance(given or (), list | tuple):
        raise ValueError(f"{where}: is not a list of texts such as Name=value")
    return [
        parse(f"{where}[{i}]", entry, factories, unsupported) for i, entry in enumerate(given or ())
    ]


def _fields(parts: list[str], count: int) -> Iterator[str]:
    """At most `count` texts: nothing between two commas is none, as for Spring."""
    while parts and count:
        if not parts[0].strip():
            parts = parts[1:]
        elif count == 1:
            yield ",".join(parts).strip()
            return
        else:
            yield parts[0].strip()
            parts, count = parts[1:], count - 1


def _name(given: Any) -> str:
    if isinstance(given, str):
        return given.partition("=")[0].strip()
    if isinstance(given, Mapping) and isinstance(given.get("name"), str):
        for key in given.keys() - {"name", "args"}:
            raise ValueError(f"{key}: unknown key (known: name, args)")
        return str(given["name"])
    raise ValueError("is neither a text such as Name=value nor a name with args")


def _args(given: Any, factory: ShortcutConfigurable[Any]) -> dict[str, str]:
    if isinstance(given, str):
        return factory.shortcut(given.partition("=")[2])
    args = given.get("args") or {}
    if not isinstance(args, Mapping):
        raise ValueError("args: is not a table of names and values")
    return dict(_flat(args, ""))


def _flat(args: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, str]]:
    for name, value in args.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield (prefix + str(name)).removeprefix(REDIS), as_text(value)


def as_text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list | tuple):
        return ",".join(as_text(item) for item in value)
    return "" if value is None else str(value)

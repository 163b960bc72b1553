"""Header fields as they came (RFC 9110, 5): bytes in their order, found whatever their case."""

from collections.abc import Callable, ItemsView, Iterable, Iterator, Mapping
from functools import lru_cache
from itertools import compress
from operator import itemgetter
from typing import Any, TypeAlias, TypeVar, cast, overload

from multidict import MultiMapping

RawPair: TypeAlias = tuple[bytes, bytes]
T = TypeVar("T")
MISSING = object()
NAME, VALUE = itemgetter(0), itemgetter(1)


class HeaderFields(MultiMapping[str]):
    """Read only.  Most lines only pass, so that one is decoded when somebody asks for it.

    `pairs` are names and values, `names` those in lower case, and `first` is the first value by
    each of them.
    """

    __slots__ = ("_made", "first", "names", "pairs")

    def __init__(self, pairs: list[RawPair]) -> None:
        self.pairs = pairs
        self.names = _lowered(tuple(map(NAME, pairs)))
        self.first = dict(zip(reversed(self.names), map(VALUE, reversed(pairs)), strict=True))
        self._made: dict[object, Any] = {}

    @classmethod
    def of(cls, pairs: Iterable[tuple[str, str]]) -> "HeaderFields":
        return cls([encoded(name, value) for name, value in pairs])

    @overload
    def get(self, key: str, /) -> str | None: ...
    @overload
    def get(self, key: str, /, default: str | T) -> str | T: ...
    def get(self, key: str, /, default: str | T | None = None) -> str | T | None:
        value = self.first.get(lower(key))
        return default if value is None else value.decode("latin-1")

    @overload
    def getall(self, key: str) -> list[str]: ...
    @overload
    def getall(self, key: str, default: T) -> list[str] | T: ...
    def getall(self, key: str, default: object = MISSING) -> object:
        name = lower(key)
        if name not in self.first:
            if default is MISSING:
                raise KeyError(key)
            return default
        return [value.decode("latin-1") for value in self.lines(name)]

    @overload
    def getone(self, key: str) -> str: ...
    @overload
    def getone(self, key: str, default: T) -> str | T: ...
    def getone(self, key: str, default: object = MISSING) -> object:
        return self[key] if default is MISSING else self.get(key, default)

    def once(self, make: Callable[["HeaderFields"], T]) -> T:
        """What `make`, a pure function, makes of them.

        A client that keeps its connection asks again and again with the same fields, and the parser
        gives it the same object for them: what they come to is made once.
        """
        try:
            return self._made[make]  # type: ignore[no-any-return]
        except KeyError:
            made = self._made[make] = make(self)
            return made

    def without(self, dropped: frozenset[bytes]) -> list[RawPair]:
        """A copy of all other lines, with duplicates and their order."""
        return list(compress(self.pairs, _stays(self.names, dropped)))

    def lines(self, name: bytes) -> list[bytes]:
        """All values of a `name` in lower case that is there."""
        if len(self.first) == len(self.pairs):
            return [self.first[name]]
        return [
            value for other, (_, value) in zip(self.names, self.pairs, strict=True) if other == name
        ]

    def __contains__(self, key: object) -> bool:
        return lower(cast(str, key)) in self.first

    def __getitem__(self, key: str) -> str:
        value = self.get(key)
        if value is None:
            raise KeyError(key)
        return value

    def __iter__(self) -> Iterator[str]:
        return (name.decode() for name, _ in self.pairs)

    def __len__(self) -> int:
        return len(self.pairs)

    def items(self) -> ItemsView[str, str]:
        """All lines, in their order."""
        return _Lines(self)


class _Lines(ItemsView[str, str]):
    def __init__(self, fields: HeaderFields) -> None:
        super().__init__(fields)
        self._pairs = fields.pairs

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return iter(decoded(self._pairs))


def once(headers: MultiMapping[str], make: Callable[[MultiMapping[str]], T]) -> T:
    """The same of whatever has headers."""
    return headers.once(make) if isinstance(headers, HeaderFields) else make(headers)


# Whoever answers has few sets of names: each is read once.
@lru_cache(maxsize=256)
def _lowered(names: tuple[bytes, ...]) -> tuple[bytes, ...]:
    return tuple(name.lower() for name in names)


@lru_cache(maxsize=256)
def _stays(names: tuple[bytes, ...], dropped: frozenset[bytes]) -> tuple[bool, ...]:
    return tuple(name not in dropped for name in names)


class RawHeaders:
    """Header lines that pass: decoded only for who looks at them.

    `names` are in lower case; `own` are lines of the gateway's behind them.
    """

    __slots__ = ("names", "own", "pairs")

    def __init__(
        self, pairs: list[RawPair], names: frozenset[bytes] | set[bytes], own: bytes = b""
    ) -> None:
        self.pairs = pairs
        self.names = names
        self.own = own

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return iter([*decoded(self.pairs), *parsed(self.own)])

    @property
    def content_type(self) -> str:
        lines = [value for name, value in self.pairs if name.lower() == b"content-type"]
        return lines[0].decode("latin-1") if lines else ""

    def with_own(self, own: Mapping[str, str]) -> "RawHeaders":
        """`own` in the place of all lines of the same names."""
        if self.names.isdisjoint(map(lower, own)):
            return RawHeaders(self.pairs, self.names, lines(own))
        names = frozenset(map(lower, own))
        others = [pair for pair in self.pairs if pair[0].lower() not in names]
        return RawHeaders(others, self.names.difference(names), lines(own))


def lines(fields: Mapping[str, str]) -> bytes:
    text = "\r\n".join(map(": ".join, fields.items()))
    return f"{text}\r\n".encode("latin-1") if text else b""


def parsed(block: bytes) -> list[tuple[str, str]]:
    """What `lines` has written."""
    return [
        (name, value)
        for line in block.decode("latin-1").split("\r\n")[:-1]
        for name, _, value in (line.partition(": "),)
    ]


@lru_cache(maxsize=1024)
def lower(name: str) -> bytes:
    """A name as `first` has it."""
    return name.lower().encode("latin-1", "replace")


def encoded(name: str, value: str) -> RawPair:
    return name.encode("latin-1"), value.encode("latin-1")


def decoded(pairs: Iterable[RawPair]) -> list[tuple[str, str]]:
    return [(name.decode(), value.decode("latin-1")) for name, value in pairs]

"""Filters that change the query for the service; what they leave alone stays as it was spelled."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import quote, unquote_plus

from gateway.routing.syntax import patterns
from gateway.routing.syntax.arguments import Arguments


@dataclass(frozen=True, slots=True)
class QueryChange:
    """The query for the service, from the query so far and the variables of the route."""

    apply: Callable[[str, Mapping[str, str]], str]


def add(arguments: Arguments) -> QueryChange:
    name = arguments.text("name")
    value = arguments.read("value", patterns.check_template)

    def apply(query: str, variables: Mapping[str, str]) -> str:
        added = _pair(name, patterns.expand(value, variables))
        return f"{query}&{added}" if query else added

    return QueryChange(apply)


def remove(arguments: Arguments) -> QueryChange:
    name = arguments.text("name")
    return QueryChange(
        lambda query, _: "&".join(pair for pair in _pairs(query) if _name(pair) != name)
    )


def rewrite(arguments: Arguments) -> QueryChange:
    """All values of the parameter give way to one; without the parameter nothing is done."""
    name = arguments.text("name")
    value = arguments.read("replacement", patterns.check_template)

    def apply(query: str, variables: Mapping[str, str]) -> str:
        pairs = _pairs(query)
        first = next((i for i, pair in enumerate(pairs) if _name(pair) == name), None)
        if first is None:
            return query
        pairs[first] = _pair(name, patterns.expand(value, variables))
        return "&".join(p for i, p in enumerate(pairs) if i == first or _name(p) != name)

    return QueryChange(apply)


def _pairs(query: str) -> list[str]:
    return [pair for pair in query.split("&") if pair]


def _name(pair: str) -> str:
    return unquote_plus(pair.partition("=")[0])


def _pair(name: str, value: str) -> str:
    # A variable comes from the path as it was spelled, percent-encoding included.
    return f"{quote(name, safe='')}={quote(value, safe='%')}"

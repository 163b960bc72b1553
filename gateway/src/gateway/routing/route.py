"""Which request goes where, and as what, in the words of Spring Cloud Gateway."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from gateway.routing import definitions, filters, predicates
from gateway.routing import target as targets
from gateway.routing.definitions import Word
from gateway.routing.filters import (
    DEFAULT_RETRY,
    Breaker,
    Filter,
    HeaderEdit,
    Pairs,
    PathChange,
    Retry,
    Shadow,
    Size,
    Status,
)
from gateway.routing.predicates import Predicate
from gateway.routing.rate_limit import Rate
from gateway.routing.request_view import Seen
from gateway.routing.target import Target
from gateway.routing.weights import Weight

KEYS = {"id", "uri", "predicates", "filters", "order"}
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
# At most one of each can be obeyed.
SINGLE = (Status, Breaker, Retry, Size, Shadow, Rate)


@dataclass(frozen=True, slots=True)
class Route:
    """One way in.  `template` stands for all its paths in traces and metrics."""

    id: str
    target: Target
    order: int
    predicates: tuple[Predicate, ...]
    filters: tuple[str, ...]
    template: str
    has_variables: bool
    paths: tuple[PathChange, ...]
    request_edits: tuple[HeaderEdit, ...]
    response_edits: tuple[HeaderEdit, ...]
    # Made once: a request only looks its span's name up.
    names: Mapping[str, str]
    weight: Weight | None = None
    status: int | None = None
    rate: Rate | None = None
    breaker: Breaker | None = None
    retry: Retry = DEFAULT_RETRY
    max_body_bytes: int | None = None
    shadow: Shadow | None = None

    @property
    def service(self) -> str:
        return self.target.service

    def takes(self, seen: Seen) -> bool:
        """Whether all predicates hold, but for the lot of its group."""
        for predicate in self.predicates:  # noqa: SIM110 - half as fast with all()
            if not predicate.holds(seen):
                return False
        return True

    def variables(self, path: str) -> dict[str, str]:
        """The segments of `path` that have names, as they came."""
        if not self.has_variables:
            return {}
        for predicate in self.predicates:
            for pattern in (predicate.paths or {}).values():
                if found := pattern.fullmatch(path):
                    return found.groupdict()
        return {}

    def inner_path(self, path: str) -> str:
        """`path` as the service knows it, percent-encoding untouched."""
        if not self.paths:
            return path
        inner, variables = path, self.variables(path)
        for change in self.paths:
            inner = change.apply(inner, variables)
        return inner

    def request_headers(self, path: str, pairs: Pairs) -> Pairs:
        if not self.request_edits:
            return pairs
        return filters.edited(self.request_edits, pairs, self.variables(path))

    def response_headers(self, path: str, pairs: Pairs) -> Pairs:
        if not self.response_edits:
            return pairs
        return filters.edited(self.response_edits, pairs, self.variables(path))

    def name_of(self, method: str) -> str:
        """The span's name: lower case, and without ids."""
        return self.names.get(method) or span_name(method, self.template)

    def described(self) -> dict[str, Any]:
        """Its entry on the page /actuator/gateway/routes."""
        shown = [predicate.shown for predicate in self.predicates]
        text = shown[0]
        for each in shown[1:]:
            text = f"({text} && {each})"
        return {
            "route_id": self.id,
            "predicate": text,
            "filters": list(self.filters),
            "uri": self.target.uri,
            "order": self.order,
        }


def prefix(path: str, inner: str) -> str:
    """What was taken off the front of `path` to get `inner`, if that is what was done."""
    if path.endswith(inner):
        return path[: len(path) - len(inner)]
    return path if inner == "/" else ""


def span_name(method: str, template: str) -> str:
    return f"{method} {template}".lower()


def parse(given: Iterable[Mapping[str, Any]]) -> tuple[Route, ...]:
    """The routes, first come first asked.  ValueError names the route and the key that is wrong."""
    routes = [_route(number, entry) for number, entry in enumerate(given)]
    _check_names(routes)
    _check_groups(routes)
    return tuple(sorted(routes, key=lambda route: route.order))


def _check_names(routes: list[Route]) -> None:
    ids = [route.id for route in routes]
    for each in ids:
        if ids.count(each) > 1:
            raise ValueError(f"route {each}: id: there is another route of this name")


def _check_groups(routes: list[Route]) -> None:
    """A group sticks by one key, whichever member says it."""
    said: dict[str, Any] = {}
    for route in routes:
        weight = route.weight
        if (
            weight
            and weight.sticky
            and said.setdefault(weight.group, weight.sticky) != weight.sticky
        ):
            raise ValueError(
                f"route {route.id}: predicates: Weight: sticky: "
                f"another route of {weight.group} says {said[weight.group]}"
            )


def _route(number: int, entry: Mapping[str, Any]) -> Route:
    name = entry.get("id") if isinstance(entry, Mapping) else None
    if not isinstance(name, str) or not name:
        raise ValueError(f"route {number}: id: is missing")
    for key in entry.keys() - KEYS:
        raise ValueError(f"route {name}: {key}: unknown key (known: {', '.join(sorted(KEYS))})")
    found = [
        each for _, each in parse_words(f"route {name}", entry, "predicates", predicates.KINDS)
    ]
    words = parse_words(f"route {name}", entry, "filters", filters.KINDS)
    templates = _templates(name, found)
    template = templates[0]
    return Route(
        id=name,
        target=_target(name, entry),
        order=_order(name, entry),
        predicates=tuple(found),
        filters=tuple(f"[[{word.quoted}], order = {i}]" for i, (word, _) in enumerate(words, 1)),
        template=template,
        has_variables=any("{" in each for each in templates),
        names={method: span_name(method, template) for method in METHODS},
        weight=_only_weight(name, found),
        **_sorted_filters(name, words),
    )


def _sorted_filters(name: str, words: list[tuple[Word, Filter]]) -> dict[str, Any]:
    """Each filter in the place of the route that it belongs to."""
    found = [each for _, each in words]
    edits = [each for each in found if isinstance(each, HeaderEdit)]
    single = _single(name, words)
    status, size = single.get(Status), single.get(Size)
    return {
        "paths": tuple(each for each in found if isinstance(each, PathChange)),
        "request_edits": tuple(each for each in edits if each.side == "request"),
        "response_edits": tuple(each for each in edits if each.side == "response"),
        "status": status and status.status,
        "max_body_bytes": size and size.limit,
        "rate": single.get(Rate),
        "breaker": single.get(Breaker),
        "shadow": single.get(Shadow),
        "retry": single.get(Retry, DEFAULT_RETRY),
    }


def _single(name: str, words: list[tuple[Word, Filter]]) -> dict[type, Any]:
    found: dict[type, Any] = {}
    for i, (word, each) in enumerate(words):
        if isinstance(each, SINGLE) and found.setdefault(type(each), each) is not each:
            raise ValueError(f"route {name}: filters[{i}]: there is another {word.name}")
    return found


def _templates(name: str, found: list[Predicate]) -> list[str]:
    """Those of all its paths; its name, for want of any."""
    if not found:
        raise ValueError(f"route {name}: predicates: at least one is needed")
    return [each for predicate in found for each in predicate.paths or ()] or [name]


def _only_weight(name: str, found: list[Predicate]) -> Weight | None:
    weights = [each.weight for each in found if each.weight]
    if len(weights) > 1:
        raise ValueError(f"route {name}: predicates: only one Weight has a meaning")
    return weights[0] if weights else None


def _target(name: str, entry: Mapping[str, Any]) -> Target:
    try:
        return targets.parse(entry.get("uri"))
    except ValueError as error:
        raise ValueError(f"route {name}: uri: {error}") from error


def _order(name: str, entry: Mapping[str, Any]) -> int:
    order = entry.get("order", 0)
    if not isinstance(order, int) or isinstance(order, bool):
        raise ValueError(f"route {name}: order: {order!r} is not a whole number")
    return order


def parse_words(
    where: str, entry: Mapping[str, Any], key: str, kinds: Mapping[str, definitions.Kind[Any]]
) -> list[tuple[Word, Any]]:
    """The list of predicates or filters under `key`, each with its meaning."""
    given = entry.get(key) or ()
    if not isinstance(given, list | tuple):
        raise ValueError(f"{where}: {key}: is not a list of texts such as Name=value")
    return [definitions.parse(f"{where}: {key}[{i}]", each, kinds) for i, each in enumerate(given)]

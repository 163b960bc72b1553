"""Which request goes where, and as what, in the words of Spring Cloud Gateway."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from gateway.routing import definitions, filters, predicates
from gateway.routing import target as targets
from gateway.routing.definitions import Definition
from gateway.routing.filters import (
    DEFAULT_RETRY,
    CircuitBreakerFilter,
    Filter,
    HeaderEdit,
    MirrorTarget,
    Pairs,
    PathChange,
    RequestSize,
    RetryFilter,
    SetStatus,
)
from gateway.routing.predicates import Predicate
from gateway.routing.rate_limit import Rate
from gateway.routing.request_view import RequestView
from gateway.routing.target import Target
from gateway.routing.weights import Weight

KEYS = {"id", "uri", "predicates", "filters", "order"}
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
# At most one of each can be obeyed.
SINGLE = (SetStatus, CircuitBreakerFilter, RetryFilter, RequestSize, MirrorTarget, Rate)


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
    breaker: CircuitBreakerFilter | None = None
    retry: RetryFilter = DEFAULT_RETRY
    max_body_bytes: int | None = None
    mirror: MirrorTarget | None = None

    @property
    def service(self) -> str:
        return self.target.service

    def takes(self, view: RequestView) -> bool:
        """Whether all predicates hold, but for the random draw of its group."""
        for predicate in self.predicates:  # noqa: SIM110 - half as fast with all()
            if not predicate.holds(view):
                return False
        return True

    def variables(self, path: str) -> dict[str, str]:
        """The segments of `path` that have names, as they came."""
        if not self.has_variables:
            return {}
        for predicate in self.predicates:
            for pattern in (predicate.paths or {}).values():
                if match := pattern.fullmatch(path):
                    return match.groupdict()
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
        for other in shown[1:]:
            text = f"({text} && {other})"
        return {
            "route_id": self.id,
            "predicate": text,
            "filters": list(self.filters),
            "uri": self.target.uri,
            "order": self.order,
        }


# What stands for the route of a request that none takes.
NO_ROUTE = Route(
    id="unknown",
    target=Target("", "unknown"),
    order=0,
    predicates=(),
    filters=(),
    template="unknown",
    has_variables=False,
    paths=(),
    request_edits=(),
    response_edits=(),
    names={},
)


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
    for route_id in ids:
        if ids.count(route_id) > 1:
            raise ValueError(f"route {route_id}: id: there is another route of this name")


def _check_groups(routes: list[Route]) -> None:
    """A group sticks by one key, whichever member says it."""
    sticky_keys: dict[str, Any] = {}
    for route in routes:
        weight = route.weight
        if (
            weight
            and weight.sticky
            and sticky_keys.setdefault(weight.group, weight.sticky) != weight.sticky
        ):
            raise ValueError(
                f"route {route.id}: predicates: Weight: sticky: "
                f"another route of {weight.group} says {sticky_keys[weight.group]}"
            )


def _route(number: int, entry: Mapping[str, Any]) -> Route:
    name = entry.get("id") if isinstance(entry, Mapping) else None
    if not isinstance(name, str) or not name:
        raise ValueError(f"route {number}: id: is missing")
    for key in entry.keys() - KEYS:
        raise ValueError(f"route {name}: {key}: unknown key (known: {', '.join(sorted(KEYS))})")
    conditions: list[Predicate] = [
        predicate
        for _, predicate in parse_definitions(
            f"route {name}", entry, "predicates", predicates.FACTORIES
        )
    ]
    parsed = parse_definitions(f"route {name}", entry, "filters", filters.FACTORIES)
    templates = _templates(name, conditions)
    template = templates[0]
    return Route(
        id=name,
        target=_target(name, entry),
        order=_order(name, entry),
        predicates=tuple(conditions),
        filters=tuple(
            f"[[{definition.quoted}], order = {i}]" for i, (definition, _) in enumerate(parsed, 1)
        ),
        template=template,
        has_variables=any("{" in text for text in templates),
        names={method: span_name(method, template) for method in METHODS},
        weight=_only_weight(name, conditions),
        **_sorted_filters(name, parsed),
    )


def _sorted_filters(name: str, parsed: list[tuple[Definition, Filter]]) -> dict[str, Any]:
    """Each filter in the place of the route that it belongs to."""
    made = [filter_ for _, filter_ in parsed]
    edits = [edit for edit in made if isinstance(edit, HeaderEdit)]
    single = _single(name, parsed)
    status, size = single.get(SetStatus), single.get(RequestSize)
    return {
        "paths": tuple(change for change in made if isinstance(change, PathChange)),
        "request_edits": tuple(edit for edit in edits if edit.side == "request"),
        "response_edits": tuple(edit for edit in edits if edit.side == "response"),
        "status": status and status.status,
        "max_body_bytes": size and size.limit,
        "rate": single.get(Rate),
        "breaker": single.get(CircuitBreakerFilter),
        "mirror": single.get(MirrorTarget),
        "retry": single.get(RetryFilter, DEFAULT_RETRY),
    }


def _single(name: str, parsed: list[tuple[Definition, Filter]]) -> dict[type, Any]:
    single: dict[type, Any] = {}
    for i, (definition, filter_) in enumerate(parsed):
        known = single.setdefault(type(filter_), filter_)
        if isinstance(filter_, SINGLE) and known is not filter_:
            raise ValueError(f"route {name}: filters[{i}]: there is another {definition.name}")
    return single


def _templates(name: str, conditions: list[Predicate]) -> list[str]:
    """Those of all its paths; its name, for want of any."""
    if not conditions:
        raise ValueError(f"route {name}: predicates: at least one is needed")
    return [path for condition in conditions for path in condition.paths or ()] or [name]


def _only_weight(name: str, conditions: list[Predicate]) -> Weight | None:
    weights = [condition.weight for condition in conditions if condition.weight]
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


def parse_definitions(
    where: str,
    entry: Mapping[str, Any],
    key: str,
    factories: Mapping[str, definitions.Factory[Any]],
) -> list[tuple[Definition, Any]]:
    """The list of predicates or filters under `key`, each with its meaning."""
    given = entry.get(key) or ()
    if not isinstance(given, list | tuple):
        raise ValueError(f"{where}: {key}: is not a list of texts such as Name=value")
    return [
        definitions.parse(f"{where}: {key}[{i}]", entry, factories) for i, entry in enumerate(given)
    ]

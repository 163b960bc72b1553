"""Routes from what was written: Spring's RouteDefinition with its predicates and filters."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from chassis.config.settings import relaxed
from gateway.routing import predicates
from gateway.routing import target as targets
from gateway.routing.filters import factories
from gateway.routing.filters.factories import RouteFilter
from gateway.routing.filters.headers import HeaderEdit
from gateway.routing.filters.parameters import QueryChange
from gateway.routing.filters.paths import PathChange
from gateway.routing.filters.retry import DEFAULT_RETRY, RetryFilter
from gateway.routing.filters.sizes import RequestHeaderSize, RequestSize
from gateway.routing.filters.statuses import RedirectTo, SetStatus
from gateway.routing.filters.targets import CircuitBreakerFilter, MirrorTarget
from gateway.routing.predicates import Predicate
from gateway.routing.rate_limit import Rate
from gateway.routing.route import Route, RouteTimeouts, span_name
from gateway.routing.syntax import definitions
from gateway.routing.syntax.arguments import Arguments
from gateway.routing.syntax.definitions import Parsed
from gateway.routing.target import Target
from gateway.routing.weights import Weight

KEYS = {"id", "uri", "predicates", "filters", "order", "metadata"}
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
# At most one of each can be obeyed.
SINGLE = (
    SetStatus,
    RedirectTo,
    CircuitBreakerFilter,
    RetryFilter,
    RequestSize,
    RequestHeaderSize,
    MirrorTarget,
    Rate,
)
NO_METADATA: Mapping[str, Any] = {}
NO_TIMEOUTS = RouteTimeouts()
# Where a default filter is shown to stand when it is wrong.
DEFAULT_FILTERS = "default-filters"


@dataclass(frozen=True, slots=True)
class RouteDefaults:
    """What every route has beside its own, and what it has if it does not say it."""

    filters: tuple[Parsed[RouteFilter], ...] = ()
    timeouts: RouteTimeouts = NO_TIMEOUTS


NO_DEFAULTS = RouteDefaults()


def parse(
    given: Iterable[Mapping[str, Any]], defaults: RouteDefaults = NO_DEFAULTS
) -> tuple[Route, ...]:
    """In the order in which they are asked.  ValueError names the route and the key."""
    routes = [_route(number, entry, defaults) for number, entry in enumerate(given)]
    _check_names(routes)
    _check_groups(routes)
    return tuple(sorted(routes, key=lambda route: route.order))


def parse_default_filters(given: Any) -> tuple[Parsed[RouteFilter], ...]:
    """Those that every route has beside its own."""
    parsed = definitions.parse_all(
        DEFAULT_FILTERS, given, factories.FACTORIES, factories.UNSUPPORTED
    )
    _single(DEFAULT_FILTERS, parsed)
    return tuple(parsed)


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


def _route(number: int, entry: Mapping[str, Any], defaults: RouteDefaults) -> Route:
    name = entry.get("id") if isinstance(entry, Mapping) else None
    if not isinstance(name, str) or not name:
        raise ValueError(f"route {number}: id: is missing")
    where = f"route {name}"
    for key in entry.keys() - KEYS:
        raise ValueError(f"{where}: {key}: unknown key (known: {', '.join(sorted(KEYS))})")
    conditions = parse_predicates(where, entry)
    own = definitions.parse_all(
        f"{where}: filters", entry.get("filters"), factories.FACTORIES, factories.UNSUPPORTED
    )
    metadata = _metadata(where, entry)
    template = _template(where, conditions) or name
    sorted_filters = _sorted_filters(where, defaults.filters, own)
    return Route(
        id=name,
        target=_target(where, entry, sorted_filters["redirect"]),
        order=_order(where, entry),
        predicates=tuple(conditions),
        filters=tuple(
            f"[[{parsed.quoted}], order = {i}]" for i, parsed in _merged(defaults.filters, own)
        ),
        template=template,
        names={method: span_name(method, template) for method in METHODS},
        weight=_only_weight(where, conditions),
        timeouts=_timeouts(where, metadata, defaults.timeouts),
        metadata=metadata,
        **sorted_filters,
    )


def parse_predicates(
    where: str,
    entry: Mapping[str, Any],
    known: Mapping[str, predicates.RoutePredicateFactory] = predicates.FACTORIES,
) -> list[Predicate]:
    parsed = definitions.parse_all(
        f"{where}: predicates", entry.get("predicates"), known, predicates.UNSUPPORTED
    )
    return [predicate.meaning for predicate in parsed]


def _merged(
    default_filters: Sequence[Parsed[RouteFilter]], own: Sequence[Parsed[RouteFilter]]
) -> list[tuple[int, Parsed[RouteFilter]]]:
    """As Spring has it: each list is numbered from 1, and of equals the default goes first."""
    both = [*enumerate(default_filters, 1), *enumerate(own, 1)]
    return sorted(both, key=lambda numbered: numbered[0])


def _sorted_filters(
    where: str, default_filters: Sequence[Parsed[RouteFilter]], own: Sequence[Parsed[RouteFilter]]
) -> dict[str, Any]:
    """Each filter in the place of the route that it belongs to."""
    made = [parsed.meaning for _, parsed in _merged(default_filters, own)]
    edits = [edit for edit in made if isinstance(edit, HeaderEdit)]
    # What a route says itself takes the place of the default of the kind.
    single = _single("", default_filters) | _single(f"{where}: filters", own)
    status, size = single.get(SetStatus), single.get(RequestSize)
    return {
        "paths": tuple(change for change in made if isinstance(change, PathChange)),
        "queries": tuple(change for change in made if isinstance(change, QueryChange)),
        "request_edits": tuple(edit for edit in edits if edit.side == "request"),
        "response_edits": tuple(edit for edit in edits if edit.side == "response"),
        "status": status and status.status,
        "redirect": single.get(RedirectTo),
        "max_body_bytes": size and size.limit,
        "max_header": single.get(RequestHeaderSize),
        "rate": single.get(Rate),
        "breaker": single.get(CircuitBreakerFilter),
        "mirror": single.get(MirrorTarget),
        "retry": single.get(RetryFilter, DEFAULT_RETRY),
    }


def _single(where: str, parsed: Sequence[Parsed[RouteFilter]]) -> dict[type, Any]:
    single: dict[type, Any] = {}
    for i, (name, _, meaning) in enumerate(parsed):
        known = single.setdefault(type(meaning), meaning)
        if isinstance(meaning, SINGLE) and known is not meaning:
            raise ValueError(f"{where}[{i}]: there is another {name}")
    return single


def _template(where: str, conditions: list[Predicate]) -> str | None:
    """The first of its paths, if it has any."""
    if not conditions:
        raise ValueError(f"{where}: predicates: at least one is needed")
    return next((path for condition in conditions for path in condition.paths or ()), None)


def _metadata(where: str, entry: Mapping[str, Any]) -> Mapping[str, Any]:
    metadata = entry.get("metadata") or NO_METADATA
    if not isinstance(metadata, Mapping):
        raise ValueError(f"{where}: metadata: is not a table of names and values")
    return metadata


def _timeouts(
    where: str, metadata: Mapping[str, Any], defaults: RouteTimeouts
) -> RouteTimeouts | None:
    """Spring's `connect-timeout` and `response-timeout`, in milliseconds."""
    names = {relaxed(name): name for name in metadata}
    arguments = Arguments(
        {
            name: definitions.as_text(metadata[names[relaxed(name)]])
            for name in ("connect-timeout", "response-timeout")
            if relaxed(name) in names
        }
    )
    try:
        connect, response = (
            _timeout(arguments, "connect-timeout"),
            _timeout(arguments, "response-timeout"),
        )
    except ValueError as error:
        raise ValueError(f"{where}: metadata: {error}") from error
    timeouts = RouteTimeouts(connect or defaults.connect, response or defaults.response)
    return None if timeouts == NO_TIMEOUTS else timeouts


def _timeout(arguments: Arguments, name: str) -> float | None:
    if name not in arguments:
        return None
    seconds = arguments.seconds(name, unit="ms")
    if not seconds:
        raise ValueError(f"{name}: a time-out is more than 0")
    return seconds


def _only_weight(where: str, conditions: list[Predicate]) -> Weight | None:
    weights = [condition.weight for condition in conditions if condition.weight]
    if len(weights) > 1:
        raise ValueError(f"{where}: predicates: only one Weight has a meaning")
    return weights[0] if weights else None


def _target(where: str, entry: Mapping[str, Any], redirect: RedirectTo | None) -> Target:
    uri = entry.get("uri")
    if redirect and uri == targets.NOBODY.uri:
        return targets.NOBODY
    try:
        return targets.parse(uri)
    except ValueError as error:
        raise ValueError(f"{where}: uri: {error}") from error


def _order(where: str, entry: Mapping[str, Any]) -> int:
    order = entry.get("order", 0)
    if not isinstance(order, bool) and re.fullmatch(r"[+-]?[0-9]{1,10}", str(order).strip()):
        return int(order)
    raise ValueError(f"{where}: order: {order!r} is not a whole number")

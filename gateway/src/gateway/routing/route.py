"""Which request goes where, and as what, in the words of Spring Cloud Gateway."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from gateway.routing.filters.headers import EditContext, HeaderEdit, Pairs, edited
from gateway.routing.filters.parameters import QueryChange
from gateway.routing.filters.paths import PathChange
from gateway.routing.filters.retry import DEFAULT_RETRY, RetryFilter
from gateway.routing.filters.sizes import RequestHeaderSize
from gateway.routing.filters.statuses import RedirectTo
from gateway.routing.filters.targets import CircuitBreakerFilter, MirrorTarget
from gateway.routing.predicates import Predicate
from gateway.routing.rate_limit import Rate
from gateway.routing.request_view import RequestView
from gateway.routing.target import Target
from gateway.routing.weights import Weight


@dataclass(frozen=True, slots=True)
class RouteTimeouts:
    """In seconds, in the place of the gateway's own; None for those."""

    connect: float | None = None
    response: float | None = None


@dataclass(frozen=True, slots=True)
class Route:
    """One way in.  `template` stands for all its paths in traces and metrics."""

    id: str
    target: Target
    order: int
    predicates: tuple[Predicate, ...]
    filters: tuple[str, ...]
    template: str
    # Made once: a request only looks its span's name up.
    names: Mapping[str, str]
    paths: tuple[PathChange, ...] = ()
    queries: tuple[QueryChange, ...] = ()
    request_edits: tuple[HeaderEdit, ...] = ()
    response_edits: tuple[HeaderEdit, ...] = ()
    weight: Weight | None = None
    status: int | None = None
    rate: Rate | None = None
    breaker: CircuitBreakerFilter | None = None
    retry: RetryFilter = DEFAULT_RETRY
    max_body_bytes: int | None = None
    max_header: RequestHeaderSize | None = None
    mirror: MirrorTarget | None = None
    redirect: RedirectTo | None = None
    timeouts: RouteTimeouts | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)

    @property
    def breaker_name(self) -> str:
        """Of the circuit breaker, and of all else that protects its calls."""
        if self.breaker:
            return self.breaker.name
        return self.target.name if self.target.is_balanced else self.id

    @property
    def edits_responses(self) -> bool:
        return bool(self.redirect or self.status or self.response_edits)

    @property
    def service(self) -> str:
        return self.target.service

    @property
    def own_paths(self) -> Sequence[str]:
        """The patterns of its first Path; there may be none."""
        return next((one.paths for one in self.predicates if one.paths), ())

    def is_of_one_group_with(self, other: "Route") -> bool:
        """Whether it is the same, or the random draw could have picked it in its place."""
        same = self.weight and other.weight and self.weight.group == other.weight.group
        return self is other or bool(same)

    def takes(self, view: RequestView) -> bool:
        """Whether all predicates hold, but for the random draw of its group."""
        for predicate in self.predicates:  # noqa: SIM110 - half as fast with all()
            if not predicate.holds(view):
                return False
        return True

    def variables(self, view: RequestView) -> dict[str, str]:
        """The URI template variables of its paths and hosts, as they came."""
        variables: dict[str, str] = {}
        for predicate in self.predicates:
            if predicate.variables:
                variables.update(predicate.variables(view))
        return variables

    def inner_path(self, view: RequestView) -> str:
        """The path as the service knows it, percent-encoding untouched."""
        if not self.paths:
            return view.path
        inner, variables = view.path, self.variables(view)
        for change in self.paths:
            inner = change.apply(inner, variables)
        return inner

    def inner_query(self, view: RequestView) -> str:
        if not self.queries:
            return view.query
        inner, variables = view.query, self.variables(view)
        for change in self.queries:
            inner = change.apply(inner, variables)
        return inner

    def request_headers(self, view: RequestView, pairs: Pairs) -> Pairs:
        return self._edited(self.request_edits, view, pairs)

    def response_headers(self, view: RequestView, pairs: Pairs) -> Pairs:
        return self._edited(self.response_edits, view, pairs)

    def _edited(self, edits: tuple[HeaderEdit, ...], view: RequestView, pairs: Pairs) -> Pairs:
        if not edits:
            return pairs
        return edited(edits, pairs, EditContext(view, self.variables(view)))

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
    names={},
)


def prefix(path: str, inner: str) -> str:
    """What was taken off the front of `path` to get `inner`, if that is what was done."""
    if path.endswith(inner):
        return path[: len(path) - len(inner)]
    return path if inner == "/" else ""


def span_name(method: str, template: str) -> str:
    return f"{method} {template}".lower()

"""One request on its way with its route, and the chain of filters that answers it.

As Spring has it (ServerWebExchange, GatewayFilterChain): a filter is given the exchange and what
comes after it; the innermost handler calls the service, and the response comes back the same way.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Literal, NamedTuple, TypeAlias

from gateway.http.messages import Request
from gateway.http.upstream_messages import UpstreamBody
from gateway.routing import route as routes
from gateway.routing.filters.headers import Pairs
from gateway.routing.rate_limit import RateDecision
from gateway.routing.request_view import NO_HEADERS, RequestView
from gateway.routing.route import Route
from gateway.routing.target import Target

Source: TypeAlias = Literal["service", "cached", "stale", "fallback"]


def _nothing() -> None:
    """To drop what is whole."""


@dataclass(slots=True, eq=False)
class Exchange:
    """What is asked of whom.

    `path` and `query` are those for the service, `body` the client's as far as it has been taken,
    `conditions` are headers in the place of the client's own, and `rates` what it has left.
    """

    request: Request
    view: RequestView
    route: Route
    target: Target
    path: str
    query: str
    body: bytes | UpstreamBody
    conditions: Mapping[str, str]
    rates: list[RateDecision] = field(default_factory=list)

    @classmethod
    def of(cls, request: Request, view: RequestView, route: Route) -> "Exchange":
        path, query = route.inner_path(view), route.inner_query(view)
        return cls(request, view, route, route.target, path, query, b"", NO_HEADERS)

    def to(self, target: Target) -> "Exchange":
        """The same of another service, unconditionally."""
        return replace(self, target=target, conditions=NO_HEADERS)

    def by(self, route: Route, view: RequestView) -> "Exchange":
        """The same by another route."""
        other = Exchange.of(self.request, view, route)
        other.body = self.body
        return other

    def under(self, conditions: Mapping[str, str]) -> "Exchange":
        return replace(self, conditions=conditions) if conditions else self

    @property
    def is_repeatable(self) -> bool:
        """Otherwise its body is gone once it was sent, so nobody else can be asked."""
        return isinstance(self.body, bytes)

    @property
    def uri(self) -> str:
        return f"{self.path}?{self.query}" if self.query else self.path

    @property
    def prefix(self) -> str:
        return routes.prefix(self.view.path, self.path)

    @property
    def service(self) -> str:
        """What it is called outside, where an address of ours is nobody's business."""
        return self.target.service if self.target.is_balanced else self.route.id

    @property
    def breaker(self) -> str:
        """The name of its circuit breaker, and of all else that protects the call."""
        if self.target is self.route.target:
            return self.route.breaker_name
        return self.target.name if self.target.is_balanced else f"{self.route.id}-instead"


class GatewayResponse(NamedTuple):
    """`body` is None for one that streams: then `stream` is the transport's own, to pass on.

    `drop` ends one that nobody wants; `source` says where it came from; `extra` are headers of the
    gateway's own, which take the place of the service's; `span_tags` is what the service said of
    the request for its trace.
    """

    status: int
    headers: Pairs
    body: bytes | None = None
    stream: Any = None
    drop: Callable[[], None] = _nothing
    source: Source = "service"
    extra: Mapping[str, str] = NO_HEADERS
    span_tags: Mapping[str, str] = NO_HEADERS


Handler: TypeAlias = Callable[[Exchange], Awaitable[GatewayResponse]]
Filter: TypeAlias = Callable[[Exchange, Handler], Awaitable[GatewayResponse]]


class GatewayFilter(NamedTuple):
    """A filter, and which routes need it: for the others it would only hand on."""

    filter: Filter
    is_needed: Callable[[Route], object] = lambda _: True


def chain(filters: Sequence[Filter], innermost: Handler) -> Handler:
    """The first filter is the outermost.  Made once, and then for every request."""
    handler = innermost
    for filter_ in reversed(filters):
        # Cheaper than a function of ours at each step of each request.
        handler = partial(filter_, proceed=handler)
    return handler

"""What the rules and the transport say to one another: a call to make, and what came of it."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Literal, NamedTuple, TypeAlias

from gateway.routing import route as routes
from gateway.routing.filters import Pairs
from gateway.routing.request_view import NO_HEADERS, RequestView
from gateway.routing.route import Route
from gateway.routing.target import Target

Source: TypeAlias = Literal["service", "cached", "stale", "fallback"]


def _nothing() -> None:
    """To drop what is whole."""


class Exchange(NamedTuple):
    """One call: what is asked of whom.  `more` are headers in the place of the client's own."""

    route: Route
    target: Target
    view: RequestView
    path: str
    more: Mapping[str, str] = NO_HEADERS

    @classmethod
    def of(cls, route: Route, view: RequestView) -> "Exchange":
        return cls(route, route.target, view, route.inner_path(view.path))

    @property
    def uri(self) -> str:
        return f"{self.path}?{self.view.query}" if self.view.query else self.path

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
        own = self.route.breaker if self.target is self.route.target else None
        if own:
            return own.name
        return self.target.name if self.target.is_balanced else self._elsewhere

    @property
    def _elsewhere(self) -> str:
        stands_in = self.target is not self.route.target
        return f"{self.route.id}-instead" if stands_in else self.route.id


class GatewayResponse(NamedTuple):
    """`body` is None for one that streams: then `stream` is the transport's own, to pass on.

    `drop` ends one that nobody wants; `source` says where it came from.
    """

    status: int
    headers: Pairs
    body: bytes | None = None
    stream: Any = None
    drop: Callable[[], None] = _nothing
    source: Source = "service"


Handler: TypeAlias = Callable[[Exchange], Awaitable[GatewayResponse]]

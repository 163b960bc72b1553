"""The gateway's rules before a service that says what a test tells it to."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from multidict import CIMultiDict

from chassis.config.properties import to_tree
from chassis.core.live import Live
from gateway.http.header_fields import HeaderFields
from gateway.http.messages import Request
from gateway.proxy import filter_chain
from gateway.proxy.route_filters import edit_response
from gateway.routing.exchange import Exchange, GatewayResponse, chain
from gateway.routing.request_view import RequestView
from gateway.routing.route import Route
from gateway.rules import GatewayRules
from gateway.settings import GatewaySettings
from gateway.traffic.mirror import Mirror

FRESH = [("Cache-Control", "max-age=5"), ("ETag", '"1"'), ("X", "y")]


class ManualClock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def entry(name: str, *filters: str, **more: Any) -> dict[str, Any]:
    return {
        "id": name,
        "uri": f"lb://{name}",
        "predicates": [f"Path=/{name}/**"],
        "filters": list(filters),
        **more,
    }


class Shop:
    """The rules with a service that says what it is told to; each errand is remembered."""

    def __init__(self, *routes: dict[str, Any], **flat: Any) -> None:
        self.clock = ManualClock()
        self.settings = Live(self._settings(routes, flat))
        self.rules = GatewayRules(self.settings, self.clock)
        self.mirror = Mirror(self.ask, lambda: 0.1)
        by_other_route = chain((edit_response,), self.ask)
        answering = filter_chain.answering(self.rules, self.mirror, self.ask, by_other_route)
        self.answer = chain([one.filter for one in answering], self.ask)
        self.exchanges: list[Exchange] = []
        self.says: Callable[[Exchange], Awaitable[GatewayResponse] | GatewayResponse] = lambda _: (
            GatewayResponse(200, [], b"hi")
        )

    @staticmethod
    def _settings(routes: tuple[dict[str, Any], ...], flat: dict[str, Any]) -> GatewaySettings:
        tree = to_tree({"spring.cloud.gateway.routes": list(routes), **flat})
        return GatewaySettings.model_validate(tree)

    def change(self, *routes: dict[str, Any], **flat: Any) -> None:
        self.settings.set(self._settings(routes, flat))

    async def ask(self, exchange: Exchange) -> GatewayResponse:
        self.exchanges.append(exchange)
        said = self.says(exchange)
        return said if isinstance(said, GatewayResponse) else await said

    def route(self, view: RequestView) -> Route:
        route = self.rules.find(view)
        assert route
        return route

    def exchange(self, view: RequestView) -> Exchange:
        return self.by(self.route(view), view)

    @staticmethod
    def by(route: Route, view: RequestView) -> Exchange:
        headers = HeaderFields.of(view.headers.items())
        request = Request(
            view.method, view.uri, view.path, view.query, headers, "1.1", view.remote or "::1"
        )
        return Exchange.of(request, view, route)

    async def get(self, path: str = "/a/x", method: str = "GET", **headers: str) -> GatewayResponse:
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        view = RequestView(method, path, headers=CIMultiDict(names))
        return await self.answer(self.exchange(view))

    def got(self, *given: Any, **more: str) -> GatewayResponse:
        return asyncio.run(self.get(*given, **more))


class SentOnce:
    """A body that is gone once it was sent."""

    length = 1

    async def next(self) -> bytes:
        raise AssertionError


def failing(error: Exception) -> Callable[[Exchange], GatewayResponse]:
    def fail(_: Exchange) -> GatewayResponse:
        raise error

    return fail


async def settled() -> None:
    for _ in range(20):
        await asyncio.sleep(0)

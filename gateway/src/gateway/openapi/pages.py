"""The addresses at which the description can be read: /openapi.json and /docs."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from chassis.core.errors import MethodNotAllowed
from gateway.openapi import page
from gateway.openapi.document import DescribedService, document
from gateway.routing.exchange import Exchange, GatewayResponse, Handler
from gateway.routing.route import NO_ROUTE

JSON_PATH = "/openapi.json"
PAGE_PATH = "/docs"
ALLOWED = ("GET", "HEAD")
NOT_MODIFIED = 304
# Asked for again each time, and mostly answered with 304.
REVALIDATED = ("Cache-Control", "no-cache")


@dataclass(frozen=True)
class Rendered:
    """The description as it was made of `services`."""

    services: Sequence[DescribedService]
    document: Mapping[str, Any]
    content: bytes
    etag: str

    @classmethod
    def of(cls, services: Sequence[DescribedService], version: str) -> "Rendered":
        made = document(services, version)
        content = json.dumps(made).encode()
        return cls(services, made, content, f'"{sha256(content).hexdigest()[:32]}"')


class DescriptionPages:
    """They answer only when no route takes their addresses."""

    def __init__(self, services: Callable[[], Sequence[DescribedService]], version: str) -> None:
        self._services = services
        self._version = version
        self._rendered: Rendered | None = None

    def filter(self, exchange: Exchange, proceed: Handler) -> Awaitable[GatewayResponse]:
        view = exchange.view
        if exchange.route is not NO_ROUTE or view.path not in (JSON_PATH, PAGE_PATH):
            return proceed(exchange)
        if view.method not in ALLOWED:
            raise MethodNotAllowed(view.method, ALLOWED)
        return self._page(exchange) if view.path == PAGE_PATH else self._json(exchange)

    async def _json(self, exchange: Exchange) -> GatewayResponse:
        rendered = await asyncio.to_thread(self._current)
        headers = [("ETag", rendered.etag), REVALIDATED]
        known = exchange.view.headers.get("If-None-Match", "")
        if rendered.etag in known or known.strip() == "*":
            return GatewayResponse(NOT_MODIFIED, headers, b"")
        return GatewayResponse(
            200, [("Content-Type", "application/json"), *headers], rendered.content
        )

    async def _page(self, exchange: Exchange) -> GatewayResponse:
        base = f"http://{exchange.view.host}"
        content = await asyncio.to_thread(lambda: page.html(self._current().document, base))
        headers = [
            ("Content-Type", "text/html; charset=utf-8"),
            ("Content-Security-Policy", page.POLICY),
            REVALIDATED,
        ]
        return GatewayResponse(200, headers, content.encode())

    def _current(self) -> Rendered:
        """Made again when a service comes, goes, or says something else."""
        services, rendered = self._services(), self._rendered
        if rendered is None or rendered.services != services:
            self._rendered = rendered = Rendered.of(services, self._version)
        return rendered

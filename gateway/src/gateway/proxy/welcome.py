"""What a person with a browser gets at `/`: the panel, or without one where to go from here."""

from collections.abc import Awaitable, Callable, Iterable
from html import escape

from chassis.core.errors import MethodNotAllowed
from chassis.web import pages
from gateway.http.messages import combined
from gateway.routing.exchange import Exchange, GatewayResponse, Handler
from gateway.routing.route import NO_ROUTE

HTML = "text/html"
READING = ("GET", "HEAD")


class WelcomePage:
    """Answers only when no route takes `/`, and only who asks for HTML; all others get 404."""

    def __init__(
        self,
        services: Callable[[], Iterable[str]],
        panel: Callable[[], str],
        zipkin: Callable[[], str],
    ) -> None:
        self._services = services
        self._panel = panel
        self._zipkin = zipkin

    def filter(self, exchange: Exchange, proceed: Handler) -> Awaitable[GatewayResponse]:
        view = exchange.view
        if exchange.route is NO_ROUTE and view.path == "/":
            if view.method not in READING:
                raise MethodNotAllowed(view.method, READING)
            accepted = combined(view.headers, "Accept") or ""
            if HTML in accepted.lower():
                return self._page()
        return proceed(exchange)

    async def _page(self) -> GatewayResponse:
        headers = [
            ("Content-Type", f"{HTML}; charset=utf-8"),
            *pages.HEADERS.items(),
            ("Vary", "Accept"),
        ]
        panel = self._panel()
        if panel:
            return GatewayResponse(302, [("Location", f"{panel}/"), *headers], self.html().encode())
        return GatewayResponse(200, headers, self.html().encode())

    def html(self) -> str:
        zipkin = escape(f"{self._zipkin()}/zipkin/", quote=True)
        links = [
            ("/docs", "the API"),
            ("/catalog-service/catalogs", "the catalog"),
            ("/actuator/health", "health of the gateway"),
            (zipkin, "traces of the requests, in Zipkin"),
        ]
        items = "".join(f'<li><a href="{href}">{text}</a></li>' for href, text in links)
        services = ", ".join(f"<code>/{escape(name)}/</code>" for name in self._services())
        body = (
            "<p>A shop you can break on purpose. This is its gateway: whoever wants something of"
            f" a service asks here.</p><ul>{items}</ul><p>Open here: {services}.</p>"
            "<p><code>make order</code> places an order as a customer; <code>make help</code> lists"
            " what there is to break.</p>"
        )
        return pages.page("Fusebox", body, self._panel())

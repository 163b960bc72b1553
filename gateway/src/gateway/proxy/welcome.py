"""The page at `/` for a person with a browser: where to go from here."""

from collections.abc import Awaitable, Callable, Iterable
from html import escape

from gateway.http.messages import combined
from gateway.routing.exchange import Exchange, GatewayResponse, Handler
from gateway.routing.route import NO_ROUTE

HTML = "text/html"
STYLE = (
    "body{font:16px/1.6 system-ui,sans-serif;margin:3rem auto;max-width:40rem;padding:0 1rem;"
    "color:#222;background:#fff}code{font-size:.9em}"
    "@media(prefers-color-scheme:dark){body{color:#ddd;background:#181818}a{color:#8ab4f8}}"
)
POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"


class WelcomePage:
    """Answers only when no route takes `/`, and only who asks for HTML; all others get 404."""

    def __init__(self, services: Callable[[], Iterable[str]], zipkin: Callable[[], str]) -> None:
        self._services = services
        self._zipkin = zipkin

    def filter(self, exchange: Exchange, proceed: Handler) -> Awaitable[GatewayResponse]:
        view = exchange.view
        if exchange.route is NO_ROUTE and view.path == "/" and view.method in ("GET", "HEAD"):
            accepted = combined(view.headers, "Accept") or ""
            if HTML in accepted.lower():
                return self._page()
        return proceed(exchange)

    async def _page(self) -> GatewayResponse:
        headers = [
            ("Content-Type", f"{HTML}; charset=utf-8"),
            ("Content-Security-Policy", POLICY),
            ("Cache-Control", "no-store"),
            ("Vary", "Accept"),
        ]
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
        return (
            '<!doctype html><html lang="en"><head><meta charset="utf-8">'
            f'<meta name="viewport" content="width=device-width"><title>Fusebox</title>'
            f"<style>{STYLE}</style></head><body><h1>Fusebox</h1>"
            "<p>A shop you can break on purpose. This is its gateway: whoever wants something of"
            f" a service asks here.</p><ul>{items}</ul><p>Open here: {services}.</p>"
            "<p><code>make order</code> places an order as a customer; <code>make help</code> lists"
            " what there is to break.</p></body></html>"
        )

"""The page at `/` for a person with a browser: how configuration is asked for."""

from collections.abc import Callable

from aiohttp import web

from chassis.web import pages

HTML = "text/html"
LINKS = (
    ("/application/default", "what all services have in common, as JSON"),
    ("/order-service/default", "what order-service gets"),
    ("/order-service-default.yml", "the same, merged, as YAML"),
    ("/gateway-default.properties", "the gateway's, as properties"),
    ("/actuator/health", "health of this server"),
)
BODY = (
    "<p>Serves configuration as Spring Cloud Config does: "
    "<code>/{application}/{profile}[/{label}]</code>. It asks for a name and a password: "
    "<code>make credentials</code> prints them.</p><ul>"
    + "".join(f'<li><a href="{href}"><code>{href}</code></a>: {text}</li>' for href, text in LINKS)
    + "</ul>"
)


def routes(panel: Callable[[], str]) -> list[web.RouteDef]:
    """The page leads to `panel`, where that is anything."""

    async def page(request: web.Request) -> web.Response:
        """Who does not ask for HTML gets 404, as from Spring's server."""
        if HTML not in ", ".join(request.headers.getall("Accept", ())).lower():
            raise web.HTTPNotFound
        text = pages.page("config-server", BODY, panel())
        headers = {**pages.HEADERS, "Vary": "Accept"}
        return web.Response(text=text, content_type=HTML, headers=headers)

    return [web.get("/", page)]

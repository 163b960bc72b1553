"""The page at `/` for a person with a browser: how configuration is asked for."""

from aiohttp import web

HTML = "text/html"
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'",
    "Cache-Control": "no-store",
    "Vary": "Accept",
}
LINKS = (
    ("/application/default", "what all services have in common, as JSON"),
    ("/order-service/default", "what order-service gets"),
    ("/order-service-default.yml", "the same, merged, as YAML"),
    ("/gateway-default.properties", "the gateway's, as properties"),
    ("/actuator/health", "health of this server"),
)
PAGE = (
    '<!doctype html><html lang="en"><head><meta charset="utf-8">'
    '<meta name="viewport" content="width=device-width"><title>config-server</title><style>'
    "body{font:16px/1.6 system-ui,sans-serif;margin:3rem auto;max-width:40rem;padding:0 1rem;"
    "color:#222;background:#fff}code{font-size:.9em}"
    "@media(prefers-color-scheme:dark){body{color:#ddd;background:#181818}a{color:#8ab4f8}}"
    "</style></head><body><h1>config-server</h1>"
    "<p>Serves configuration as Spring Cloud Config does: "
    "<code>/{application}/{profile}[/{label}]</code>. It asks for a name and a password: "
    "<code>make credentials</code> prints them.</p><ul>"
    + "".join(f'<li><a href="{href}"><code>{href}</code></a>: {text}</li>' for href, text in LINKS)
    + "</ul></body></html>"
)


async def page(request: web.Request) -> web.Response:
    """Who does not ask for HTML gets 404, as from Spring's server."""
    if HTML not in ", ".join(request.headers.getall("Accept", ())).lower():
        raise web.HTTPNotFound
    return web.Response(text=PAGE, content_type=HTML, headers=HEADERS)

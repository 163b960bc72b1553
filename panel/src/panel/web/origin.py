"""Who may ask: browsers under a name of ours, from a page of ours.

A web page on the internet can have a browser send requests to this machine, and can give its own
name the address of this machine (DNS rebinding).  So a Host that is none of ours is refused, and
so is whatever another origin has sent (Fetch Metadata, the Origin header: OWASP, *Cross-Site
Request Forgery Prevention*).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from urllib.parse import urlsplit

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from chassis.core.errors import Forbidden

LOOPBACK_NAMES = ("127.0.0.1", "localhost", "[::1]")
# `none` is a person who has typed the address; whoever is no browser sends nothing.
OWN_SITE = ("same-origin", "none", "")
# The pages to which a link from elsewhere may lead.
PAGES = ("/", "/login")
# What anybody may know, and a container's neighbours ask for under the name that they have for it.
PUBLIC_PAGES = (
    "/actuator/health",
    "/actuator/health/liveness",
    "/actuator/health/readiness",
    "/actuator/info",
)
WILDCARDS = ("0.0.0.0", "::", "")

Authorities = Callable[[], frozenset[str]]


def authorities(hosts: Iterable[str], ports: Iterable[int], named: Iterable[str]) -> frozenset[str]:
    """The Host headers of a panel that listens at `hosts` and `ports`, and is `named` so beside."""
    names = {*LOOPBACK_NAMES, *(_bracketed(host) for host in hosts if host not in WILDCARDS)}
    own = {f"{name}:{port}" for name in names for port in ports}
    if 80 in ports:
        own |= names
    return frozenset(name.lower() for name in (*own, *named))


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def is_public(method: str, path: str) -> bool:
    return method in ("GET", "HEAD") and path in PUBLIC_PAGES


def check(
    allowed: frozenset[str], method: str, path: str, hosts: list[str], headers: dict[str, str]
) -> None:
    """Pass silently, or raise Forbidden; `headers` are Origin and Sec-Fetch-*, where sent."""
    if is_public(method, path):
        return
    if len(hosts) != 1 or hosts[0].lower() not in allowed:
        given = ", ".join(hosts) or "none"
        raise Forbidden(
            f"The panel does not go by this Host: {given[:200]}. It answers to"
            f" {', '.join(sorted(allowed)[:4])}; fusebox.panel.hosts names others.",
            code="foreign-host",
        )
    origin = headers.get("Origin")
    if origin is not None and not _is_own(origin, allowed):
        raise Forbidden("Another origin may not ask the panel.", code="foreign-origin")
    is_visit = (
        method in ("GET", "HEAD")
        and path in PAGES
        and headers.get("Sec-Fetch-Mode") == "navigate"
        and headers.get("Sec-Fetch-Dest") == "document"
    )
    if headers.get("Sec-Fetch-Site", "") not in OWN_SITE and not is_visit:
        raise Forbidden("A page of another site may not ask the panel.", code="foreign-origin")


def _is_own(origin: str, allowed: frozenset[str]) -> bool:
    parts = urlsplit(origin)
    return (
        parts.scheme in ("http", "https")
        and parts.netloc.lower() in allowed
        and not (parts.path or parts.query or parts.fragment)
    )


def refuse_foreign(allowed: Authorities) -> Middleware:
    @web.middleware
    async def refuse(request: web.Request, handler: Handler) -> web.StreamResponse:
        given = request.headers
        headers = {
            name: ", ".join(given.getall(name))
            for name in ("Origin", "Sec-Fetch-Site", "Sec-Fetch-Mode", "Sec-Fetch-Dest")
            if name in given
        }
        check(allowed(), request.method, request.path, given.getall("Host", []), headers)
        return await handler(request)

    return refuse

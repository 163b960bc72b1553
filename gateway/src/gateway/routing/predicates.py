"""The predicates of Spring Cloud Gateway: what a request must be like for a route to take it."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from gateway.routing import patterns, weights
from gateway.routing.definitions import Arguments, Factory
from gateway.routing.request_view import RequestView
from gateway.routing.weights import Weight

ZONE = re.compile(r"\[[^\]]*\]$")


@dataclass(frozen=True, slots=True)
class Predicate:
    """`shown` is its text on the actuator's page, and `paths` what a Path was given."""

    holds: Callable[[RequestView], bool]
    shown: str
    paths: Mapping[str, re.Pattern[str]] | None = None
    weight: Weight | None = None


def _path(arguments: Arguments) -> Predicate:
    or_slash = arguments.text("matchTrailingSlash", "true") != "false"
    templates = arguments.texts("patterns")
    matchers = arguments.read_all("patterns", lambda template: patterns.path(template, or_slash))
    paths = dict(zip(templates, matchers, strict=True))
    shown = f"Paths: [{', '.join(templates)}], match trailing slash: {str(or_slash).lower()}"
    takes = [pattern.fullmatch for pattern in paths.values()]
    only = takes[0]
    if len(takes) == 1:
        return Predicate(lambda view: only(view.path) is not None, shown, paths)
    return Predicate(lambda view: any(match(view.path) for match in takes), shown, paths)


def _method(arguments: Arguments) -> Predicate:
    methods = arguments.texts("methods")
    for method in methods:
        if not re.fullmatch(r"[A-Z-]+", method):
            raise ValueError(f"methods: {method!r} is not a method such as GET")
    known = frozenset(methods)
    return Predicate(lambda view: view.method in known, f"Methods: [{', '.join(methods)}]")


def _value(arguments: Arguments) -> tuple[Callable[[str], object], str]:
    """What a value must be like, any without a `regexp`; and how that is shown."""
    if "regexp" not in arguments:
        return lambda _: True, "null"
    return arguments.read("regexp", patterns.java).fullmatch, arguments.text("regexp")


def _header(arguments: Arguments) -> Predicate:
    name = arguments.text("header")
    fits, shown = _value(arguments)

    def holds(view: RequestView) -> bool:
        value = view.headers.get(name)
        return value is not None and bool(fits(value))

    return Predicate(holds, f"Header: {name} regexp={shown}")


def _query(arguments: Arguments) -> Predicate:
    name = arguments.text("param")
    fits, shown = _value(arguments)
    return Predicate(
        lambda view: any(fits(value) for value in view.parameters(name)),
        f"Query: param={name} regexp='{shown}'",
    )


def _cookie(arguments: Arguments) -> Predicate:
    name = arguments.text("name")
    fits, shown = _value(arguments)
    return Predicate(
        lambda view: any(fits(value) for value in view.cookies(name)),
        f"Cookie: name={name} regexp={shown}",
    )


def _host(arguments: Arguments) -> Predicate:
    templates = arguments.texts("patterns")
    hosts = arguments.read_all("patterns", patterns.host)
    return Predicate(
        lambda view: any(pattern.fullmatch(view.host) for pattern in hosts),
        f"Hosts: [{', '.join(templates)}]",
    )


def moment(text: str) -> float:
    """Seconds since 1970 of `2026-01-20T17:42:47-07:00[America/Denver]`."""
    try:
        when = datetime.fromisoformat(ZONE.sub("", text))
    except ValueError:
        when = None
    if when is None or when.tzinfo is None:
        raise ValueError(f"{text!r} is not a moment such as 2026-01-20T17:42:47Z")
    return when.timestamp()


def _after(arguments: Arguments) -> Predicate:
    since = arguments.read("datetime", moment)
    return Predicate(lambda view: view.moment > since, f"After: {arguments.text('datetime')}")


def _before(arguments: Arguments) -> Predicate:
    until = arguments.read("datetime", moment)
    return Predicate(lambda view: view.moment < until, f"Before: {arguments.text('datetime')}")


def _between(arguments: Arguments) -> Predicate:
    since, until = arguments.read("datetime1", moment), arguments.read("datetime2", moment)
    if since >= until:
        raise ValueError("datetime2: is not later than datetime1")
    return Predicate(
        lambda view: since < view.moment < until,
        f"Between: {arguments.text('datetime1')} and {arguments.text('datetime2')}",
    )


@lru_cache(maxsize=4096)
def address(text: str) -> IPv4Address | IPv6Address | None:
    """An IPv4 address that came in an IPv6 one is what it stands for."""
    try:
        parsed = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return getattr(parsed, "ipv4_mapped", None) or parsed


def _remote_addr(arguments: Arguments) -> Predicate:
    sources = arguments.texts("sources")
    networks = arguments.read_all("sources", lambda source: ip_network(source, strict=False))

    def holds(view: RequestView) -> bool:
        remote = address(view.remote or "")
        return remote is not None and any(remote in network for network in networks)

    return Predicate(holds, f"RemoteAddrs: [{', '.join(sources)}]")


def _weight(arguments: Arguments) -> Predicate:
    weight = weights.FACTORY.make(arguments)
    shown = f"Weight: {weight.group} {weight.weight}"
    # One random draw serves the whole group: the route table makes it.
    return Predicate(lambda _: True, shown, weight=weight)


FACTORIES: dict[str, Factory[Predicate]] = {
    "Path": Factory(_path, ("patterns",), ("matchTrailingSlash",)),
    "Method": Factory(_method, ("methods",)),
    "Header": Factory(_header, ("header", "regexp")),
    "Query": Factory(_query, ("param", "regexp")),
    "Host": Factory(_host, ("patterns",)),
    "After": Factory(_after, ("datetime",)),
    "Before": Factory(_before, ("datetime",)),
    "Between": Factory(_between, ("datetime1", "datetime2")),
    "Cookie": Factory(_cookie, ("name", "regexp")),
    "RemoteAddr": Factory(_remote_addr, ("sources",)),
    "Weight": Factory(_weight, weights.FACTORY.fields, weights.FACTORY.more),
}

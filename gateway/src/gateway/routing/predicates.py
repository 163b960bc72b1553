"""The predicates of Spring Cloud Gateway: what a request must be like for a route to take it."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from gateway.routing import patterns, weights
from gateway.routing.definitions import Arguments, Kind
from gateway.routing.request_view import Seen
from gateway.routing.weights import Weight

ZONE = re.compile(r"\[[^\]]*\]$")


@dataclass(frozen=True, slots=True)
class Predicate:
    """`shown` is its text on the actuator's page, and `paths` what a Path was given."""

    holds: Callable[[Seen], bool]
    shown: str
    paths: Mapping[str, re.Pattern[str]] | None = None
    weight: Weight | None = None


def _path(said: Arguments) -> Predicate:
    or_slash = said.text("matchTrailingSlash", "true") != "false"
    templates = said.texts("patterns")
    paths = dict(said.each("patterns", lambda each: (each, patterns.path(each, or_slash))))
    shown = f"Paths: [{', '.join(templates)}], match trailing slash: {str(or_slash).lower()}"
    takes = [pattern.fullmatch for pattern in paths.values()]
    only = takes[0]
    if len(takes) == 1:
        return Predicate(lambda seen: only(seen.path) is not None, shown, paths)
    return Predicate(lambda seen: any(each(seen.path) for each in takes), shown, paths)


def _method(said: Arguments) -> Predicate:
    methods = said.texts("methods")
    for each in methods:
        if not re.fullmatch(r"[A-Z-]+", each):
            raise ValueError(f"methods: {each!r} is not a method such as GET")
    known = frozenset(methods)
    return Predicate(lambda seen: seen.method in known, f"Methods: [{', '.join(methods)}]")


def _value(said: Arguments) -> tuple[Callable[[str], object], str]:
    """What a value must be like, any without a `regexp`; and how that is shown."""
    if "regexp" not in said:
        return lambda _: True, "null"
    return said.read("regexp", patterns.java).fullmatch, said.text("regexp")


def _header(said: Arguments) -> Predicate:
    name = said.text("header")
    fits, shown = _value(said)

    def holds(seen: Seen) -> bool:
        value = seen.headers.get(name)
        return value is not None and bool(fits(value))

    return Predicate(holds, f"Header: {name} regexp={shown}")


def _query(said: Arguments) -> Predicate:
    name = said.text("param")
    fits, shown = _value(said)
    return Predicate(
        lambda seen: any(fits(each) for each in seen.parameters(name)),
        f"Query: param={name} regexp='{shown}'",
    )


def _cookie(said: Arguments) -> Predicate:
    name = said.text("name")
    fits, shown = _value(said)
    return Predicate(
        lambda seen: any(fits(each) for each in seen.cookies(name)),
        f"Cookie: name={name} regexp={shown}",
    )


def _host(said: Arguments) -> Predicate:
    templates = said.texts("patterns")
    hosts = said.each("patterns", patterns.host)
    return Predicate(
        lambda seen: any(each.fullmatch(seen.host) for each in hosts),
        f"Hosts: [{', '.join(templates)}]",
    )


def moment(text: str) -> float:
    """Seconds since 1970 of `2026-01-20T17:42:47-07:00[America/Denver]`."""
    try:
        found = datetime.fromisoformat(ZONE.sub("", text))
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise ValueError(f"{text!r} is not a moment such as 2026-01-20T17:42:47Z")
    return found.timestamp()


def _after(said: Arguments) -> Predicate:
    since = said.read("datetime", moment)
    return Predicate(lambda seen: seen.moment > since, f"After: {said.text('datetime')}")


def _before(said: Arguments) -> Predicate:
    until = said.read("datetime", moment)
    return Predicate(lambda seen: seen.moment < until, f"Before: {said.text('datetime')}")


def _between(said: Arguments) -> Predicate:
    since, until = said.read("datetime1", moment), said.read("datetime2", moment)
    if since >= until:
        raise ValueError("datetime2: is not later than datetime1")
    return Predicate(
        lambda seen: since < seen.moment < until,
        f"Between: {said.text('datetime1')} and {said.text('datetime2')}",
    )


@lru_cache(maxsize=4096)
def address(text: str) -> IPv4Address | IPv6Address | None:
    """An IPv4 address that came in an IPv6 one is what it stands for."""
    try:
        found = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return getattr(found, "ipv4_mapped", None) or found


def _remote_addr(said: Arguments) -> Predicate:
    sources = said.texts("sources")
    networks = said.each("sources", lambda each: ip_network(each, strict=False))

    def holds(seen: Seen) -> bool:
        remote = address(seen.remote or "")
        return remote is not None and any(remote in each for each in networks)

    return Predicate(holds, f"RemoteAddrs: [{', '.join(sources)}]")


def _weight(said: Arguments) -> Predicate:
    weight = weights.KIND.make(said)
    shown = f"Weight: {weight.group} {weight.weight}"
    # The lot is drawn for the whole group, by whoever looks for a route.
    return Predicate(lambda _: True, shown, weight=weight)


KINDS: dict[str, Kind[Predicate]] = {
    "Path": Kind(_path, ("patterns",), ("matchTrailingSlash",)),
    "Method": Kind(_method, ("methods",)),
    "Header": Kind(_header, ("header", "regexp")),
    "Query": Kind(_query, ("param", "regexp")),
    "Host": Kind(_host, ("patterns",)),
    "After": Kind(_after, ("datetime",)),
    "Before": Kind(_before, ("datetime",)),
    "Between": Kind(_between, ("datetime1", "datetime2")),
    "Cookie": Kind(_cookie, ("name", "regexp")),
    "RemoteAddr": Kind(_remote_addr, ("sources",)),
    "Weight": Kind(_weight, weights.KIND.fields, weights.KIND.more),
}

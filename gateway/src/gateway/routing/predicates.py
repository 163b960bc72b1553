"""The predicates of Spring Cloud Gateway: what a request must be like for a route to take it."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import TypeAlias

from gateway.http.client_address import address
from gateway.routing import weights
from gateway.routing.request_view import RequestView
from gateway.routing.syntax import java_regex, patterns
from gateway.routing.syntax.arguments import Arguments
from gateway.routing.syntax.definitions import ShortcutConfigurable
from gateway.routing.syntax.patterns import TemplatePattern
from gateway.routing.weights import Weight

EPOCH_MILLIS = re.compile(r"-?[0-9]{1,15}", re.ASCII)
Network: TypeAlias = IPv4Network | IPv6Network
ZONE = re.compile(r"\[[^\]]*\]$")


@dataclass(frozen=True, slots=True)
class Predicate:
    """`shown` is its text on the actuator's page, and `paths` what a Path was given.

    `variables` are those of its URI template for a request that it takes.
    """

    holds: Callable[[RequestView], bool]
    shown: str
    paths: Sequence[str] | None = None
    weight: Weight | None = None
    variables: Callable[[RequestView], Mapping[str, str]] | None = None


class RoutePredicateFactory(ShortcutConfigurable[Predicate]):
    """Makes one predicate of a route, as Spring's of this name."""


def _path(arguments: Arguments) -> Predicate:
    or_slash = arguments.flag("matchTrailingSlash", "true")
    templates = arguments.texts("patterns")
    paths = arguments.read_all("patterns", lambda template: patterns.path(template, or_slash))
    shown = f"Paths: [{', '.join(templates)}], match trailing slash: {str(or_slash).lower()}"
    takes = [pattern.takes for pattern in paths]
    variables = _variables(paths, lambda view: view.path)
    only = takes[0]
    if len(takes) == 1:
        return Predicate(
            lambda view: only(view.path) is not None, shown, templates, variables=variables
        )
    return Predicate(
        lambda view: any(match(view.path) is not None for match in takes),
        shown,
        templates,
        variables=variables,
    )


def _path_shortcut(text: str) -> dict[str, str]:
    """A last `true` or `false` is matchTrailingSlash."""
    *parts, last = patterns.split(text, ",")
    if parts and last.strip() in ("true", "false"):
        return {"patterns": ",".join(parts), "matchTrailingSlash": last.strip()}
    return {"patterns": text.strip()}


def _variables(
    templates: Sequence[TemplatePattern], part: Callable[[RequestView], str]
) -> Callable[[RequestView], Mapping[str, str]] | None:
    """Those of the first template that takes a request; None when none has any."""
    if not any(template.has_variables for template in templates):
        return None

    def variables(view: RequestView) -> Mapping[str, str]:
        text = part(view)
        for template in templates:
            values = template.variables_of(text)
            if values is not None:
                return values
        return {}

    return variables


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
    return arguments.read("regexp", java_regex.compiled).fullmatch, arguments.text("regexp")


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
        lambda view: any(pattern.takes(view.host) is not None for pattern in hosts),
        f"Hosts: [{', '.join(templates)}]",
        variables=_variables(hosts, lambda view: view.host),
    )


def moment(text: str) -> float:
    """Seconds since 1970 of `2026-01-20T17:42:47-07:00[America/Denver]`, or of milliseconds."""
    if EPOCH_MILLIS.fullmatch(text):
        return int(text) / 1000
    try:
        when = datetime.fromisoformat(ZONE.sub("", text))
    except ValueError:
        when = None
    if when is None or when.tzinfo is None:
        raise ValueError(f"{text!r} is not a moment such as 2026-01-20T17:42:47Z or 1768930967000")
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


def _remote_addr(arguments: Arguments) -> Predicate:
    sources = arguments.texts("sources")
    networks = _networks(arguments)
    return Predicate(
        lambda view: _is_in(view.remote, networks), f"RemoteAddrs: [{', '.join(sources)}]"
    )


def _x_forwarded_remote_addr(arguments: Arguments) -> Predicate:
    """The client as the last of `maxTrustedIndex` proxies saw it; without them, as we do."""
    sources = arguments.texts("sources")
    networks = _networks(arguments)
    trusted = arguments.number("maxTrustedIndex", "1", least=1)

    def holds(view: RequestView) -> bool:
        listed = view.list_of("X-Forwarded-For")
        return _is_in(listed[max(0, len(listed) - trusted)] if listed else view.remote, networks)

    shown = f"XForwardedRemoteAddrs: [{', '.join(sources)}], max trusted index: {trusted}"
    return Predicate(holds, shown)


def _networks(arguments: Arguments) -> list[Network]:
    return arguments.read_all("sources", lambda text: ip_network(text.strip('"'), strict=False))


def _is_in(remote: str | None, networks: list[Network]) -> bool:
    parsed = address(remote or "")
    return parsed is not None and any(parsed in network for network in networks)


def _weight(arguments: Arguments) -> Predicate:
    weight = weights.FACTORY.make(arguments)
    shown = f"Weight: {weight.group} {weight.weight}"
    # One random draw serves the whole group: the route table makes it.
    return Predicate(lambda _: True, shown, weight=weight)


FACTORIES: dict[str, RoutePredicateFactory] = {
    "Path": RoutePredicateFactory(_path, ("patterns",), ("matchTrailingSlash",), _path_shortcut),
    "Method": RoutePredicateFactory(_method, ("methods",)),
    "Header": RoutePredicateFactory(_header, ("header", "regexp")),
    "Query": RoutePredicateFactory(_query, ("param", "regexp")),
    "Host": RoutePredicateFactory(_host, ("patterns",)),
    "After": RoutePredicateFactory(_after, ("datetime",)),
    "Before": RoutePredicateFactory(_before, ("datetime",)),
    "Between": RoutePredicateFactory(_between, ("datetime1", "datetime2")),
    "Cookie": RoutePredicateFactory(_cookie, ("name", "regexp")),
    "RemoteAddr": RoutePredicateFactory(_remote_addr, ("sources",)),
    "XForwardedRemoteAddr": RoutePredicateFactory(
        _x_forwarded_remote_addr, ("sources",), ("maxTrustedIndex",)
    ),
    "Weight": RoutePredicateFactory(_weight, weights.FACTORY.fields, weights.FACTORY.more),
}

# Of the others of Spring's, why a rule that has them is refused.
UNSUPPORTED = {
    "CloudFoundryRouteService": "there is no Cloud Foundry here",
    "ReadBody": "a body passes as it came, and is read by the service",
    "Version": "an API version stands in the path here; a service's version in the route's uri",
}

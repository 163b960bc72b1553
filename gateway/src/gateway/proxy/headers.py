"""Headers on their way through: what belongs to one connection stays there, the rest passes."""

from collections.abc import Iterable, Mapping
from functools import lru_cache

from multidict import CIMultiDict

from chassis.discovery.instances import Instance
from chassis.identity.assertions import HEADER as ASSERTION
from chassis.identity.assertions import OwnIdentity
from chassis.observability import span_tags
from gateway.http.framing import header_lines
from gateway.http.header_fields import (
    VALUE,
    HeaderFields,
    RawHeaders,
    RawPair,
    decoded,
    encoded,
    lines,
)
from gateway.http.messages import Headers, Request, combined, host_of
from gateway.proxy import addresses, security_headers
from gateway.proxy.internal_headers import HOP_BY_HOP, is_internal
from gateway.proxy.problem_responses import SERVER
from gateway.routing.filters.headers import Pairs
from gateway.routing.target import Target

# Alt-Svc speaks of the instance's own address, at which nobody outside can call it.
NOT_TO_CLIENT = HOP_BY_HOP | {
    *(b"alt-svc", b"x-trace-id", b"x-trace-url", span_tags.HEADER.lower().encode()),
}
VIA = "1.1 gateway"
# RFC 1035, 3.1.
LONGEST_HOST = 255
COOKIE = b"set-cookie"
# All that most clients say there, and it names no header.
KEEP_ALIVE = b"keep-alive"
# How long the body is cannot be said by a filter, nor who calls.
NOT_EDITED = frozenset(("content-length", "transfer-encoding", ASSERTION.lower()))


def passing(given: HeaderFields) -> list[RawPair]:
    """Of the client's headers those that pass."""
    named = _named_by_connection(given)
    return [
        pair
        for pair in given.pairs
        if not is_internal(pair[0]) and (named is None or pair[0].lower() not in named)
    ]


def passing_lines(given: HeaderFields) -> bytes:
    return header_lines(passing(given))


def own_lines(request: Request, prefix: str, outgoing: Mapping[str, str]) -> bytes:
    """The gateway's lines to a service; `outgoing` are such as no client can give."""
    given = request.headers
    via = combined(given, "Via") if b"via" in given.first else None
    host = given.once(host_of)
    # What a client may make up as long as it likes is not worth its place in memory.
    lines_of = _way if via is None and len(host) <= LONGEST_HOST else _way.__wrapped__
    own = lines_of(request.way or (request.remote,), request.scheme, host, prefix, via)
    return own + lines(outgoing)


def identity_line(identity: OwnIdentity, target: Target) -> bytes:
    """What shows a service of the registry who calls; a fixed address is not told."""
    if not target.is_balanced:
        return b""
    return lines(identity.headers(target.service))


@lru_cache(maxsize=4096)
def _way(nodes: tuple[str, ...], scheme: str, host: str, prefix: str, via: str | None) -> bytes:
    """Of most requests of a client it is the same.  What it says of its way is not believed."""
    *proxied, remote = nodes
    way = {
        "Forwarded": ", ".join([*map(_node, proxied), _forwarded(remote, scheme, host)]),
        "X-Forwarded-For": ", ".join(nodes),
        "X-Forwarded-Proto": scheme,
        "X-Forwarded-Host": host,
        "Via": f"{via}, {VIA}" if via else VIA,
    }
    if prefix:
        way["X-Forwarded-Prefix"] = prefix
    return lines(way)


def _node(address: str) -> str:
    return f'for="[{address}]"' if ":" in address else f'for="{address}"'


def _forwarded(remote: str, scheme: str, host: str) -> str:
    """RFC 7239, as Spring's gateway writes it; a quote in a host would end the text."""
    shown = host.replace("\\", "").replace('"', "")
    return f'proto={scheme};host="{shown}";{_node(remote)}'


def replaced(pairs: Iterable[RawPair], by: Mapping[str, str]) -> list[RawPair]:
    """`pairs` with those of `by` in the place of all of the same names."""
    names = {name.lower().encode("latin-1") for name in by}
    others = [pair for pair in pairs if pair[0].lower() not in names]
    return [*others, *(encoded(name, value) for name, value in by.items())]


def edited(pairs: Iterable[tuple[str, str]]) -> tuple[bytes, str | None]:
    """The lines that a route's filters have left to be sent, and the host that they have named."""
    passed, host = [], None
    for name, value in pairs:
        if name.lower() == "host":
            host = value
        elif name.lower() not in NOT_EDITED:
            passed.append(encoded(name, value))
    return header_lines(passed), host


def to_client(given: HeaderFields, instance: Instance, prefix: str, service: str) -> RawHeaders:
    """No address of `instance` among them; `service` is what it is called outside."""
    dropped = _dropped(given, NOT_TO_CLIENT)
    passed = given.without(dropped)
    # Hardly any answer has one, and one look at all of them says so.
    values = b"\n".join(map(VALUE, passed))
    if b"//" in values or instance.authority_bytes in values:
        passed = [
            encoded(name, addresses.without_addresses(value, instance, prefix, service))
            for name, value in decoded(passed)
        ]
    if COOKIE in given.first:
        passed = [
            encoded(name, addresses.without_domain(value, instance))
            if name.lower() == "set-cookie"
            else encoded(name, value)
            for name, value in decoded(passed)
        ]
    return RawHeaders(passed, given.first.keys() - dropped)


def with_own(given: Pairs, own: dict[str, str]) -> Headers | RawHeaders:
    """`own` in the place of what the service says; who it is, it says itself."""
    if isinstance(given, RawHeaders):
        own = {**security_headers.unsaid(given.names, given.content_type), **own}
        return given.with_own(own if b"server" in given.names else {**own, "Server": SERVER})
    passed = CIMultiDict(given)
    names = {name.lower().encode() for name in passed}
    passed.update(security_headers.unsaid(names, passed.get("Content-Type", "")))
    passed.update(own)
    passed.setdefault("Server", SERVER)
    return passed


def _dropped(given: HeaderFields, always: frozenset[bytes]) -> frozenset[bytes]:
    """What stays behind `always`, and what Connection names."""
    named = _named_by_connection(given)
    return always if named is None else always | named


def _named_by_connection(given: HeaderFields) -> frozenset[bytes] | None:
    """None for the most of messages, in which it names no header."""
    if given.first.get(b"connection", KEEP_ALIVE) == KEEP_ALIVE:
        is_single = len(given.first) == len(given.pairs)
        if is_single or len(given.getall("Connection", ())) < 2:
            return None
    return _names(combined(given, "Connection") or "")


def _names(listed: str) -> frozenset[bytes]:
    return frozenset(name.strip().lower().encode("latin-1") for name in listed.split(","))

"""Headers on their way through: what belongs to one connection stays there, the rest passes."""

from collections.abc import Iterable, Mapping
from functools import lru_cache

from chassis.discovery.instances import Instance
from chassis.identity.assertions import HEADER as ASSERTION
from chassis.identity.assertions import OwnIdentity
from chassis.observability import span_tags
from chassis.resilience import deadline
from gateway.http.framing import header_lines
from gateway.http.header_fields import HeaderFields, RawPair, decoded, encoded, lines
from gateway.http.messages import Request, combined, host_of
from gateway.proxy import addresses
from gateway.routing.target import Target

HOP_BY_HOP = frozenset(
    (
        b"connection",
        b"keep-alive",
        b"proxy-authenticate",
        b"proxy-authorization",
        b"proxy-connection",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
    )
)
TRACE = frozenset(
    (
        b"b3",
        b"baggage",
        b"traceparent",
        b"tracestate",
        b"x-b3-flags",
        b"x-b3-parentspanid",
        b"x-b3-sampled",
        b"x-b3-spanid",
        b"x-b3-traceid",
    )
)
# Written anew for the next hop.
FORWARDED = frozenset(
    (
        b"host",
        b"expect",
        b"forwarded",
        b"via",
        b"x-forwarded-for",
        b"x-forwarded-host",
        b"x-forwarded-port",
        b"x-forwarded-prefix",
        b"x-forwarded-proto",
        b"x-forwarded-ssl",
    )
)
# Between our own processes only; from outside they are not believed.
DEADLINE_HEADERS = frozenset(
    name.lower().encode() for name in (deadline.DEADLINE, deadline.ATTEMPT, deadline.TIMEOUT)
)
# Of the gateway itself: nobody outside speaks for a process of the shop.
IDENTITY = frozenset((ASSERTION.lower().encode(),))
# Said anew of the body that is sent.
FRAMING = frozenset((b"content-length",))
NOT_UPSTREAM = HOP_BY_HOP | TRACE | FORWARDED | DEADLINE_HEADERS | IDENTITY | FRAMING
# Alt-Svc speaks of the instance's own address, at which nobody outside can call it.
NOT_TO_CLIENT = HOP_BY_HOP | {
    *(b"alt-svc", b"x-trace-id", b"x-trace-url", span_tags.HEADER.lower().encode()),
}
VIA = "1.1 gateway"
SCHEME = "http"
COOKIE = b"set-cookie"
# All that most clients say there, and it names no header.
KEEP_ALIVE = b"keep-alive"
# What a client says of its way here, which goes on where it ends.
ITS_WAY = frozenset((b"forwarded", b"via", b"x-forwarded-for"))
# How long the body is cannot be said by a filter, nor who calls.
NOT_EDITED = frozenset(("content-length", "transfer-encoding", ASSERTION.lower()))
NO_FIELDS = HeaderFields([])


def passing(given: HeaderFields) -> list[RawPair]:
    """Of the client's headers those that pass."""
    return _without(given, NOT_UPSTREAM)


def passing_lines(given: HeaderFields) -> bytes:
    return header_lines(passing(given))


def own_lines(request: Request, prefix: str, outgoing: Mapping[str, str]) -> bytes:
    """The gateway's lines to a service; `outgoing` are such as no client can give."""
    given = request.headers
    if given.first.keys().isdisjoint(ITS_WAY):
        way = _way(request.remote, given.once(host_of), prefix)
    else:
        way = _way_on(given, request.remote, given.once(host_of), prefix)
    return way + lines(outgoing)


def identity_line(identity: OwnIdentity, target: Target) -> bytes:
    """What shows a service of the registry who calls; a fixed address is not told."""
    if not target.is_balanced:
        return b""
    own = identity.headers(target.service)
    return "".join([f"{name}: {value}\r\n" for name, value in own.items()]).encode()


@lru_cache(maxsize=4096)
def _way(remote: str, host: str, prefix: str) -> bytes:
    """Of most requests of a client it is the same."""
    return _way_on(NO_FIELDS, remote, host, prefix)


def _way_on(given: HeaderFields, remote: str, host: str, prefix: str) -> bytes:
    way = {
        "Forwarded": _appended(given, "Forwarded", _forwarded(remote, host)),
        "X-Forwarded-For": _appended(given, "X-Forwarded-For", remote),
        # What a client says of these two is not believed.
        "X-Forwarded-Proto": SCHEME,
        "X-Forwarded-Host": host,
        "Via": _appended(given, "Via", VIA),
    }
    if prefix:
        way["X-Forwarded-Prefix"] = prefix
    return lines(way)


def _forwarded(remote: str, host: str) -> str:
    """RFC 7239, as Spring's gateway writes it; a quote in a host would end the text."""
    node = f"[{remote}]" if ":" in remote else remote
    shown = host.replace("\\", "").replace('"', "")
    return f'proto={SCHEME};host="{shown}";for="{node}"'


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


def to_client(given: HeaderFields, instance: Instance, prefix: str, service: str) -> list[RawPair]:
    """No address of `instance` among them; `service` is what it is called outside."""
    passed = _without(given, NOT_TO_CLIENT)
    # Hardly any answer has one, and one look at all of them says so.
    values = b"\n".join([value for _, value in passed])
    if b"//" in values or instance.authority.encode() in values:
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
    return passed


def _without(given: HeaderFields, dropped: frozenset[bytes]) -> list[RawPair]:
    """A copy with duplicates and their order, but without `dropped` and what Connection names."""
    named = given.first.get(b"connection", KEEP_ALIVE)
    if named != KEEP_ALIVE or len(given.first) != len(given.pairs):
        dropped = dropped | _names(combined(given, "Connection") or "")
    return [pair for pair in given.pairs if pair[0].lower() not in dropped]


def _names(listed: str) -> frozenset[bytes]:
    return frozenset(name.strip().lower().encode("latin-1") for name in listed.split(","))


def _appended(given: HeaderFields, name: str, value: str) -> str:
    return ", ".join((*given.getall(name), value)) if name in given else value

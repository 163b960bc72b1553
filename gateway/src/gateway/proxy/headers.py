"""Headers on their way through: what belongs to one connection stays there, the rest passes."""

from collections.abc import Mapping

from multidict import CIMultiDict

from chassis.discovery.instances import Instance
from chassis.observability import span_tags
from chassis.resilience import deadline
from gateway.http.messages import Headers, Request
from gateway.proxy import addresses

HOP_BY_HOP = frozenset(
    (
        "connection",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    )
)
TRACE = frozenset(
    (
        "b3",
        "baggage",
        "traceparent",
        "tracestate",
        "x-b3-flags",
        "x-b3-parentspanid",
        "x-b3-sampled",
        "x-b3-spanid",
        "x-b3-traceid",
    )
)
# Written anew for the next hop.
FORWARDED = frozenset(
    (
        "host",
        "expect",
        "forwarded",
        "via",
        "x-forwarded-for",
        "x-forwarded-host",
        "x-forwarded-port",
        "x-forwarded-prefix",
        "x-forwarded-proto",
        "x-forwarded-ssl",
    )
)
# Between our own processes only; from outside they are not believed.
DEADLINE_HEADERS = frozenset(
    (deadline.DEADLINE.lower(), deadline.ATTEMPT.lower(), deadline.TIMEOUT.lower())
)
NOT_UPSTREAM = HOP_BY_HOP | TRACE | FORWARDED | DEADLINE_HEADERS
# Alt-Svc speaks of the instance's own address, at which nobody outside can call it.
NOT_TO_CLIENT = HOP_BY_HOP | {
    *("alt-svc", "x-trace-id", "x-trace-url", span_tags.HEADER.lower()),
}
VIA = "1.1 gateway"
SCHEME = "http"
COOKIE = "set-cookie"
# All that most clients say there, and it names no header.
KEEP_ALIVE = ["keep-alive"]


def to_upstream(request: Request, prefix: str, trace: Mapping[str, str]) -> Headers:
    """`trace` are such as no client can give: of NOT_UPSTREAM."""
    given = request.headers
    host = given.get("Host", "")
    passed = _without(given, NOT_UPSTREAM)
    passed += (
        ("Forwarded", _appended(given, "Forwarded", _forwarded(request.remote, host))),
        ("X-Forwarded-For", _appended(given, "X-Forwarded-For", request.remote)),
        # What a client says of these two is not believed.
        ("X-Forwarded-Proto", SCHEME),
        ("X-Forwarded-Host", host),
        ("Via", _appended(given, "Via", VIA)),
        *trace.items(),
    )
    if prefix:
        passed.append(("X-Forwarded-Prefix", prefix))
    return CIMultiDict(passed)


def _forwarded(remote: str, host: str) -> str:
    """RFC 7239, as Spring's gateway writes it; a quote in a host would end the text."""
    node = f"[{remote}]" if ":" in remote else remote
    shown = host.replace("\\", "").replace('"', "")
    return f'proto={SCHEME};host="{shown}";for="{node}"'


def to_client(
    given: Headers, instance: Instance, prefix: str, service: str
) -> list[tuple[str, str]]:
    """No address of `instance` among them; `service` is what it is called outside."""
    passed = _without(given, NOT_TO_CLIENT)
    # Hardly any answer has one, and one look at all of them says so.
    values = "\n".join(given.values())
    if "//" in values or instance.authority in values:
        passed = [
            (name, addresses.without_addresses(value, instance, prefix, service))
            for name, value in passed
        ]
    if "Set-Cookie" in given:
        passed = [
            (name, addresses.without_domain(value, instance) if name.lower() == COOKIE else value)
            for name, value in passed
        ]
    return passed


def _without(given: Headers, dropped: frozenset[str]) -> list[tuple[str, str]]:
    """A copy with duplicates and their order, but without `dropped` and what Connection names."""
    named = given.getall("Connection", ())
    if named and named != KEEP_ALIVE:
        dropped = dropped | {name.strip().lower() for line in named for name in line.split(",")}
    return [pair for pair in given.items() if pair[0].lower() not in dropped]


def _appended(given: Headers, name: str, value: str) -> str:
    return ", ".join((*given.getall(name), value)) if name in given else value

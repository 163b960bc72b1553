"""The headers that services believe, since only the gateway or another process of ours writes them.

One list for both: what a client sends under one of these names stays behind, and what the gateway
sets is among them.
"""

import re
from functools import lru_cache

from chassis.identity import assertions
from chassis.observability import span_tags
from chassis.resilience import deadline, examination

HOP_BY_HOP = frozenset(
    (
        *(b"connection", b"keep-alive", b"proxy-authenticate", b"proxy-authorization"),
        *(b"proxy-connection", b"te", b"trailer", b"transfer-encoding", b"upgrade"),
    )
)
TRACE = frozenset(
    (
        *(b"b3", b"baggage", b"traceparent", b"tracestate", b"x-b3-flags", b"x-b3-parentspanid"),
        *(b"x-b3-sampled", b"x-b3-spanid", b"x-b3-traceid"),
    )
)
# Written anew for the next hop; so are those of the body's length.
NEXT_HOP = frozenset((b"host", b"expect", b"via", b"forwarded", b"content-length"))
OURS = frozenset(
    name.lower().encode()
    for name in (
        *(deadline.DEADLINE, deadline.ATTEMPT, deadline.TIMEOUT, assertions.HEADER),
        *(examination.PROBE, span_tags.HEADER),
    )
)
# Where other gateways tell a service who asks, and from where.
IDENTITY = frozenset(
    (
        *(b"x-user", b"x-remote-user", b"remote-user", b"x-real-ip", b"x-client-ip", b"client-ip"),
        *(b"true-client-ip", b"x-cluster-client-ip", b"cf-connecting-ip", b"fastly-client-ip"),
    )
)
# Another path or method than the one that the rules have seen.
OVERRIDES = frozenset(
    (
        *(b"x-original-url", b"x-rewrite-url", b"x-override-url", b"x-original-uri"),
        *(b"x-http-method-override", b"x-http-method", b"x-method-override"),
    )
)
NAMES = HOP_BY_HOP | TRACE | NEXT_HOP | OURS | IDENTITY | OVERRIDES
PREFIXES = (b"x-forwarded-", b"x-user-", b"x-fusebox-", b"x-internal-", b"x-auth-request-")
# CGI, and WSGI after it, has one name for all of these.
SIGNS = re.compile(rb"[^a-z0-9]")


@lru_cache(maxsize=1024)
def is_internal(name: bytes) -> bool:
    """Whether a client's header of this name stays behind, in whatever case and with whatever
    sign in the place of its dashes."""
    plain = SIGNS.sub(b"-", name.lower())
    return plain in NAMES or plain.startswith(PREFIXES)

"""Who asks, when proxies stand before the gateway: RFC 7239, and Spring's `trusted-proxies`.

What a proxy says of its client is believed if the proxy is; what the client said before that is
not.  So the list is read from its end, up to the first address that is none of the proxies'.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import ip_network
from typing import Any, NamedTuple

from multidict import MultiMapping

from gateway.http import client_address
from gateway.http.messages import combined
from gateway.routing.predicates import Network
from gateway.routing.syntax import java_regex

FORWARDED = "Forwarded"
X_FORWARDED_FOR = "X-Forwarded-For"
X_FORWARDED_PROTO = "X-Forwarded-Proto"
TOKEN = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
PAIR = re.compile(rf'[ \t]*({TOKEN})=(?:({TOKEN})|"((?:[^"\\]|\\.)*)")[ \t]*')
# An address with a port or without; that of IPv6 in brackets if there is one.
NODE = re.compile(r"\[(?P<v6>[0-9A-Fa-f:.]+)\](?::\d{1,5})?|(?P<v4>[0-9.]+)(?::\d{1,5})?")
SCHEMES = ("http", "https")


@dataclass(frozen=True, slots=True)
class TrustedProxies:
    """Networks, or an expression that an address fits; nobody without either."""

    networks: tuple[Network, ...] = ()
    pattern: re.Pattern[str] | None = None

    def trusts(self, address: str) -> bool:
        parsed = client_address.address(address)
        if parsed is None:
            return False
        if self.pattern is not None:
            return self.pattern.fullmatch(str(parsed)) is not None
        return any(parsed in network for network in self.networks)

    def __bool__(self) -> bool:
        return bool(self.networks) or self.pattern is not None


class ClientOrigin(NamedTuple):
    """`way` are the addresses from the client on to the last proxy but the one that asks."""

    address: str
    scheme: str = "http"
    way: tuple[str, ...] = ()


def trusted_proxies(given: Any) -> TrustedProxies:
    """Spring's Java expression, or networks such as `10.0.0.0/8, ::1`, as text or as a list."""
    if given in (None, ""):
        return TrustedProxies()
    texts = (
        [str(one) for one in given] if isinstance(given, list | tuple) else str(given).split(",")
    )
    try:
        return TrustedProxies(tuple(ip_network(text.strip(), strict=False) for text in texts))
    except ValueError:
        if not isinstance(given, str):
            raise
    return TrustedProxies(pattern=java_regex.compiled(given))


def origin(remote: str, headers: MultiMapping[str], trusted: TrustedProxies) -> ClientOrigin:
    """Of a request that came from `remote`, if that is a proxy, as it says; else `remote`'s own."""
    if not trusted.trusts(remote):
        return ClientOrigin(remote)
    ways = [
        _way(listed, trusted)
        for name, read in ((FORWARDED, _forwarded), (X_FORWARDED_FOR, _x_forwarded_for))
        if (listed := read(combined(headers, name))) is not None
    ]
    scheme = (combined(headers, X_FORWARDED_PROTO) or "").rpartition(",")[2].strip().lower()
    known = scheme if scheme in SCHEMES else "http"
    # Most proxies write one of them, and let the other pass as the client has written it.
    clients = {way[0] if way else remote for way in ways}
    if len(clients) != 1:
        return ClientOrigin(remote, known)
    return ClientOrigin(clients.pop(), known, ways[0])


def _way(listed: list[str | None], trusted: TrustedProxies) -> tuple[str, ...]:
    """From the client on: the last of `listed` that is no proxy, and those that come after it."""
    way: list[str] = []
    for address in reversed(listed):
        if address is None:
            break
        way.insert(0, address)
        if not trusted.trusts(address):
            break
    return tuple(way)


def _x_forwarded_for(text: str | None) -> list[str | None] | None:
    if text is None:
        return None
    parts = [part.strip() for part in text.split(",")]
    return [_node(part) for part in parts if part]


def _forwarded(text: str | None) -> list[str | None] | None:
    """The `for` of each element; of one that cannot be read nobody knows where the next begins."""
    if text is None:
        return None
    try:
        return [_node(element.get("for", "")) for element in _elements(text)]
    except ValueError:
        return [None]


def _elements(text: str) -> Iterator[dict[str, str]]:
    """RFC 7239, 4.  ValueError for what is not of that form."""
    element: dict[str, str] = {}
    at, end = 0, len(text)
    while at < end:
        pair = PAIR.match(text, at)
        if pair is None:
            raise ValueError(text)
        name, token, quoted = pair.groups()
        if name.lower() in element:
            raise ValueError(text)
        element[name.lower()] = token if quoted is None else re.sub(r"\\(.)", r"\1", quoted)
        at = pair.end()
        separator = text[at : at + 1]
        if separator not in ("", ",", ";") or (separator and at + 1 == end):
            raise ValueError(text)
        if separator != ";":
            yield element
            element = {}
        at += 1


def _node(text: str) -> str | None:
    """The address of a node (RFC 7239, 6), None for `unknown`, `_hidden` and what is none."""
    match = NODE.fullmatch(text)
    parsed = client_address.address((match["v6"] or match["v4"]) if match else text)
    return None if parsed is None or "%" in text else str(parsed)

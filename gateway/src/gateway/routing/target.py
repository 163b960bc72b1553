"""Where a route leads: to a service that discovery knows, to a version of it, or to an address."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, urlsplit

from chassis.discovery.load_balancer import Takes

SERVICE = re.compile(r"[A-Za-z0-9._-]+")
HTTP_PORT = 80
# Every route takes WebSockets: they begin as HTTP.
PLAIN = {"lb:ws://": "lb://", "ws://": "http://"}
WEBSOCKET = re.compile("^(?:lb:)?ws://")


@dataclass(frozen=True, slots=True)
class Target:
    """`metadata` is what an instance must say of itself; `port` is 0 for a balanced service."""

    uri: str
    service: str
    metadata: Mapping[str, str] = field(default_factory=dict)
    port: int = 0

    @property
    def is_balanced(self) -> bool:
        return not self.port

    @property
    def name(self) -> str:
        """Its breaker's: one version of a service may fail while another is well."""
        if not self.metadata:
            return self.service
        demanded = {name: value for name, value in self.metadata.items() if value}
        version = "+".join(name if value == "true" else value for name, value in demanded.items())
        return f"{self.service}@{version}" if version else self.service

    @property
    def choice(self) -> Takes | None:
        """Which instances will do; None when any."""
        return self.takes if self.metadata else None

    def takes(self, metadata: Mapping[str, str]) -> bool:
        """Whether an instance with `metadata` will do; an empty value means: not said."""
        return all(metadata.get(name, "") == value for name, value in self.metadata.items())


# Spring's word for a route that answers itself, as with RedirectTo.
NOBODY = Target("no://op", "op", port=HTTP_PORT)


def parse(uri: object) -> Target:
    """`lb://service`, `lb://service?version=2` or `http://host:port`; `ws` is `http`, too."""
    uri = WEBSOCKET.sub(lambda match: PLAIN[match[0]], uri) if isinstance(uri, str) else uri
    parts = urlsplit(uri if isinstance(uri, str) else "")
    if parts.scheme == "lb" and SERVICE.fullmatch(parts.netloc) and parts.path in ("", "/"):
        return _balanced(parts.netloc.lower(), parts.query)
    if parts.scheme == "http" and parts.hostname:
        return _fixed(str(uri))
    raise ValueError(f"{uri!r} is not lb:// and the name of a service, nor http:// and an address")


def _balanced(service: str, query: str) -> Target:
    metadata = dict(parse_qsl(query, keep_blank_values=True))
    if query and not metadata:
        raise ValueError(f"{query!r} is not name=value of an instance's metadata")
    return Target(f"lb://{service}" + (f"?{query}" if query else ""), service, metadata)


def _fixed(uri: str) -> Target:
    parts = urlsplit(uri)
    if parts.path not in ("", "/") or parts.query or parts.username is not None:
        raise ValueError(f"{uri!r} is more than host and port: PrefixPath adds a path")
    try:
        port = parts.port or HTTP_PORT
    except ValueError as error:
        raise ValueError(f"{uri!r}: {error}") from error
    return Target(uri.rstrip("/"), parts.hostname or "", port=port)

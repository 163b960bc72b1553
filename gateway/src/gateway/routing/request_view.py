"""What a rule sees of a request: plain values, whatever server took them."""

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import NamedTuple
from urllib.parse import parse_qsl

from multidict import CIMultiDict, CIMultiDictProxy, MultiMapping

from gateway.http.header_fields import once
from gateway.http.messages import combined

EVENTS = "text/event-stream"
NO_HEADERS: Mapping[str, str] = MappingProxyType({})
NO_FIELDS: MultiMapping[str] = CIMultiDictProxy(CIMultiDict())


class RequestView(NamedTuple):
    """`path` and `query` as they came; the names in `headers` are found whatever their case.

    `moment` is in seconds since 1970, and `user` the subject of a token that was verified.
    """

    method: str
    path: str
    query: str = ""
    headers: MultiMapping[str] = NO_FIELDS
    host: str = ""
    remote: str | None = None
    moment: float = 0.0
    user: str | None = None

    @property
    def uri(self) -> str:
        return f"{self.path}?{self.query}" if self.query else self.path

    @property
    def is_endless(self) -> bool:
        """Whether it asks for what may never end: another protocol, or a stream of events."""
        return once(self.headers, _is_endless)

    def list_of(self, name: str) -> list[str]:
        """The members of a header whose lines are one list (RFC 9110, 5.3)."""
        text = combined(self.headers, name) or ""
        return [part.strip() for part in text.split(",") if part.strip()]

    def cookies(self, name: str) -> Iterator[str]:
        for line in self.headers.getall("Cookie", ()):
            for pair in line.split(";"):
                cookie, _, value = pair.strip().partition("=")
                if cookie == name:
                    yield value

    def parameters(self, name: str) -> Iterator[str]:
        """The decoded values of a parameter of the query; one without a value has an empty one."""
        for parameter, value in parse_qsl(self.query, keep_blank_values=True):
            if parameter == name:
                yield value


def _is_endless(headers: MultiMapping[str]) -> bool:
    return "Upgrade" in headers or EVENTS in (combined(headers, "Accept") or "").lower()

"""The filters of Spring Cloud Gateway: what a route does to a request and to its answer."""

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Literal, TypeAlias

from gateway.routing import patterns, rate_limit
from gateway.routing import target as targets
from gateway.routing.definitions import Arguments, Kind
from gateway.routing.rate_limit import Rate
from gateway.routing.target import Target

Pairs: TypeAlias = Iterable[tuple[str, str]]

FORWARD = "forward:"
UNITS = {"B": 1, "KB": 1024, "MB": 1024**2, "GB": 1024**3}
# Doing it twice is doing it once (RFC 9110).
IDEMPOTENT = frozenset(("GET", "HEAD", "OPTIONS", "PUT", "DELETE"))
TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")


@dataclass(frozen=True, slots=True)
class PathChange:
    """The path for the service, from the path so far and the segments that have names."""

    apply: Callable[[str, Mapping[str, str]], str]


@dataclass(frozen=True, slots=True)
class HeaderEdit:
    side: Literal["request", "response"]
    action: Literal["add", "set", "remove"]
    name: str
    value: str = ""


@dataclass(frozen=True, slots=True)
class Status:
    status: int


@dataclass(frozen=True, slots=True)
class Breaker:
    """`forward` is a path to look for another route with, `fallback` another service."""

    name: str
    forward: str | None = None
    fallback: Target | None = None
    statuses: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Retry:
    """How often a request may be sent again, after which answers, and with which methods."""

    retries: int = 3
    methods: frozenset[str] = frozenset(("GET",))
    statuses: frozenset[int] = frozenset()

    def may(self, tried: int, method: str, status: int | None = None) -> bool:
        """After `tried` repeats; without a `status`, when the connection broke off."""
        wanted = status is None or status in self.statuses
        return wanted and tried < self.retries and method in self.methods


@dataclass(frozen=True, slots=True)
class Size:
    limit: int


@dataclass(frozen=True, slots=True)
class Shadow:
    """A `share` (0 to 1) of requests is sent to `target` as well, and its answers are dropped."""

    target: Target
    share: float

    def takes(self, method: str, lot: float) -> bool:
        """Only what does nothing twice: a mirrored order would be a second order."""
        return method in ("GET", "HEAD") and lot < self.share


Filter: TypeAlias = PathChange | HeaderEdit | Status | Breaker | Retry | Size | Shadow | Rate

# What a route without a Retry does when a connection breaks off.
DEFAULT_RETRY = Retry(1, IDEMPOTENT)


def edited(edits: Collection[HeaderEdit], pairs: Pairs, variables: Mapping[str, str]) -> Pairs:
    """The headers with `edits` made in their order; duplicates and order of the others stay."""
    found = list(pairs)
    for edit in edits:
        name = edit.name.lower()
        if edit.action != "add":
            found = [pair for pair in found if pair[0].lower() != name]
        if edit.action != "remove":
            found.append((edit.name, patterns.expand(edit.value, variables)))
    return found


def _strip_prefix(said: Arguments) -> PathChange:
    parts = said.number("parts", "1")

    def apply(path: str, _: Mapping[str, str]) -> str:
        steps = path.split("/", parts + 1)
        return "/" + (steps[-1] if len(steps) > parts + 1 else "")

    return PathChange(apply if parts else lambda path, _: path)


def _absolute(text: str) -> str:
    if not text.startswith("/"):
        raise ValueError("a path begins with /")
    return patterns.check_template(text)


def _prefix_path(said: Arguments) -> PathChange:
    prefix = said.read("prefix", _absolute).rstrip("/")
    return PathChange(lambda path, variables: patterns.expand(prefix, variables) + path)


def _set_path(said: Arguments) -> PathChange:
    template = said.read("template", _absolute)
    return PathChange(lambda _, variables: patterns.expand(template, variables))


def _rewrite_path(said: Arguments) -> PathChange:
    pattern = said.read("regexp", patterns.java)
    by = said.read("replacement", lambda text: patterns.replacement(text, pattern), "")

    def apply(path: str, _: Mapping[str, str]) -> str:
        changed = pattern.sub(by, path)
        return changed if changed.startswith("/") else "/" + changed

    return PathChange(apply)


def _header_name(text: str) -> str:
    if not TOKEN.fullmatch(text):
        raise ValueError(f"{text!r} is not the name of a header")
    return text


def _header_value(text: str) -> str:
    if not text.isprintable():
        raise ValueError(f"{text!r} cannot stand in a header")
    return patterns.check_template(text)


def _edit(
    side: Literal["request", "response"], action: Literal["add", "set", "remove"]
) -> Kind[Filter]:
    def make(said: Arguments) -> Filter:
        name = said.read("name", _header_name)
        removes = action == "remove"
        return HeaderEdit(side, action, name, "" if removes else said.read("value", _header_value))

    return Kind(make, ("name",) if action == "remove" else ("name", "value"))


def status(text: str) -> int:
    """`404` or `NOT_FOUND`."""
    if text.upper() in HTTPStatus.__members__:
        return HTTPStatus[text.upper()].value
    if not re.fullmatch("[2-5][0-9]{2}", text):
        raise ValueError(f"{text!r} is not a status such as 404 or NOT_FOUND")
    return int(text)


def _statuses(said: Arguments, name: str) -> frozenset[int]:
    return frozenset(said.each(name, status)) if name in said else frozenset()


def _breaker(said: Arguments) -> Breaker:
    name, fallback = said.text("name"), said.text("fallbackUri", "")
    statuses = _statuses(said, "statusCodes")
    if statuses and not fallback:
        raise ValueError("statusCodes: have no meaning without a fallbackUri")
    if not fallback.startswith(FORWARD):
        return Breaker(
            name, None, said.read("fallbackUri", targets.parse) if fallback else None, statuses
        )
    forward = said.read("fallbackUri", lambda text: _absolute(text.removeprefix(FORWARD)))
    return Breaker(name, forward, None, statuses)


def _retry(said: Arguments) -> Retry:
    methods = said.texts("methods", "GET")
    for each in methods:
        if each not in IDEMPOTENT:
            raise ValueError(f"methods: {each!r} must not be done twice, so it is never repeated")
    return Retry(said.number("retries", "3"), frozenset(methods), _statuses(said, "statuses"))


def _bytes(text: str) -> int:
    match = re.fullmatch(r"(\d{1,12})\s*([KMG]?B)?", text.upper())
    if match is None:
        raise ValueError(f"{text!r} is not a size such as 5000000, 64KB or 5MB")
    return int(match[1]) * UNITS[match[2] or "B"]


def _shadow(said: Arguments) -> Shadow:
    return Shadow(said.read("uri", targets.parse), said.fraction("share"))


RATE_FIELDS = ("replenishRate", "burstCapacity", "key-resolver")
KINDS: dict[str, Kind[Filter]] = {
    "StripPrefix": Kind(_strip_prefix, ("parts",)),
    "PrefixPath": Kind(_prefix_path, ("prefix",)),
    "RewritePath": Kind(_rewrite_path, ("regexp", "replacement")),
    "SetPath": Kind(_set_path, ("template",)),
    "AddRequestHeader": _edit("request", "add"),
    "SetRequestHeader": _edit("request", "set"),
    "RemoveRequestHeader": _edit("request", "remove"),
    "AddResponseHeader": _edit("response", "add"),
    "SetResponseHeader": _edit("response", "set"),
    "RemoveResponseHeader": _edit("response", "remove"),
    "SetStatus": Kind(lambda said: Status(said.read("status", status)), ("status",)),
    "RequestRateLimiter": Kind(rate_limit.rate, RATE_FIELDS, ("requestedTokens",)),
    "CircuitBreaker": Kind(_breaker, ("name", "fallbackUri"), ("statusCodes",)),
    "Retry": Kind(_retry, ("retries", "statuses", "methods")),
    "RequestSize": Kind(lambda said: Size(said.read("maxSize", _bytes)), ("maxSize",)),
    "Shadow": Kind(_shadow, ("uri", "share")),
}

"""The filters of Spring Cloud Gateway: what a route does to a request and to its answer."""

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Literal, TypeAlias

from gateway.routing import patterns, rate_limit
from gateway.routing import target as targets
from gateway.routing.definitions import Arguments, Factory
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
class SetStatus:
    status: int


@dataclass(frozen=True, slots=True)
class CircuitBreakerFilter:
    """`forward` is a path to look for another route with, `fallback` another service."""

    name: str
    forward: str | None = None
    fallback: Target | None = None
    statuses: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class RetryFilter:
    """How often a request may be sent again, after which answers, and with which methods."""

    retries: int = 3
    methods: frozenset[str] = frozenset(("GET",))
    statuses: frozenset[int] = frozenset()

    def may(self, tried: int, method: str, status: int | None = None) -> bool:
        """After `tried` repeats; without a `status`, when the connection broke off."""
        is_listed = status is None or status in self.statuses
        return is_listed and tried < self.retries and method in self.methods


@dataclass(frozen=True, slots=True)
class RequestSize:
    limit: int


@dataclass(frozen=True, slots=True)
class MirrorTarget:
    """A `share` (0 to 1) of requests is sent to `target` as well, and its answers are dropped."""

    target: Target
    share: float

    def takes(self, method: str, random_draw: float) -> bool:
        """Only what does nothing twice: a mirrored order would be a second order."""
        return method in ("GET", "HEAD") and random_draw < self.share


Filter: TypeAlias = (
    PathChange
    | HeaderEdit
    | SetStatus
    | CircuitBreakerFilter
    | RetryFilter
    | RequestSize
    | MirrorTarget
    | Rate
)

# What a route without a Retry does when a connection breaks off.
DEFAULT_RETRY = RetryFilter(1, IDEMPOTENT)


def edited(edits: Collection[HeaderEdit], pairs: Pairs, variables: Mapping[str, str]) -> Pairs:
    """The headers with `edits` made in their order; duplicates and order of the others stay."""
    result = list(pairs)
    for edit in edits:
        name = edit.name.lower()
        if edit.action != "add":
            result = [pair for pair in result if pair[0].lower() != name]
        if edit.action != "remove":
            result.append((edit.name, patterns.expand(edit.value, variables)))
    return result


def _strip_prefix(arguments: Arguments) -> PathChange:
    parts = arguments.number("parts", "1")

    def apply(path: str, _: Mapping[str, str]) -> str:
        steps = path.split("/", parts + 1)
        return "/" + (steps[-1] if len(steps) > parts + 1 else "")

    return PathChange(apply if parts else lambda path, _: path)


def _absolute(text: str) -> str:
    if not text.startswith("/"):
        raise ValueError("a path begins with /")
    return patterns.check_template(text)


def _prefix_path(arguments: Arguments) -> PathChange:
    prefix = arguments.read("prefix", _absolute).rstrip("/")
    return PathChange(lambda path, variables: patterns.expand(prefix, variables) + path)


def _set_path(arguments: Arguments) -> PathChange:
    template = arguments.read("template", _absolute)
    return PathChange(lambda _, variables: patterns.expand(template, variables))


def _rewrite_path(arguments: Arguments) -> PathChange:
    pattern = arguments.read("regexp", patterns.java)
    by = arguments.read("replacement", lambda text: patterns.replacement(text, pattern), "")

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
) -> Factory[Filter]:
    def make(arguments: Arguments) -> Filter:
        name = arguments.read("name", _header_name)
        removes = action == "remove"
        return HeaderEdit(
            side, action, name, "" if removes else arguments.read("value", _header_value)
        )

    return Factory(make, ("name",) if action == "remove" else ("name", "value"))


def status(text: str) -> int:
    """`404` or `NOT_FOUND`."""
    if text.upper() in HTTPStatus.__members__:
        return HTTPStatus[text.upper()].value
    if not re.fullmatch("[2-5][0-9]{2}", text):
        raise ValueError(f"{text!r} is not a status such as 404 or NOT_FOUND")
    return int(text)


def _statuses(arguments: Arguments, name: str) -> frozenset[int]:
    return frozenset(arguments.read_all(name, status)) if name in arguments else frozenset()


def _breaker(arguments: Arguments) -> CircuitBreakerFilter:
    name, fallback = arguments.text("name"), arguments.text("fallbackUri", "")
    statuses = _statuses(arguments, "statusCodes")
    if statuses and not fallback:
        raise ValueError("statusCodes: have no meaning without a fallbackUri")
    if not fallback.startswith(FORWARD):
        return CircuitBreakerFilter(
            name, None, arguments.read("fallbackUri", targets.parse) if fallback else None, statuses
        )
    forward = arguments.read("fallbackUri", lambda text: _absolute(text.removeprefix(FORWARD)))
    return CircuitBreakerFilter(name, forward, None, statuses)


def _retry(arguments: Arguments) -> RetryFilter:
    methods = arguments.texts("methods", "GET")
    for method in methods:
        if method not in IDEMPOTENT:
            raise ValueError(f"methods: {method!r} must not be done twice, so it is never repeated")
    return RetryFilter(
        arguments.number("retries", "3"), frozenset(methods), _statuses(arguments, "statuses")
    )


def _bytes(text: str) -> int:
    match = re.fullmatch(r"(\d{1,12})\s*([KMG]?B)?", text.upper())
    if match is None:
        raise ValueError(f"{text!r} is not a size such as 5000000, 64KB or 5MB")
    return int(match[1]) * UNITS[match[2] or "B"]


def _mirror_target(arguments: Arguments) -> MirrorTarget:
    return MirrorTarget(arguments.read("uri", targets.parse), arguments.fraction("share"))


RATE_FIELDS = ("replenishRate", "burstCapacity", "key-resolver")
FACTORIES: dict[str, Factory[Filter]] = {
    "StripPrefix": Factory(_strip_prefix, ("parts",)),
    "PrefixPath": Factory(_prefix_path, ("prefix",)),
    "RewritePath": Factory(_rewrite_path, ("regexp", "replacement")),
    "SetPath": Factory(_set_path, ("template",)),
    "AddRequestHeader": _edit("request", "add"),
    "SetRequestHeader": _edit("request", "set"),
    "RemoveRequestHeader": _edit("request", "remove"),
    "AddResponseHeader": _edit("response", "add"),
    "SetResponseHeader": _edit("response", "set"),
    "RemoveResponseHeader": _edit("response", "remove"),
    "SetStatus": Factory(
        lambda arguments: SetStatus(arguments.read("status", status)), ("status",)
    ),
    "RequestRateLimiter": Factory(rate_limit.rate, RATE_FIELDS, ("requestedTokens",)),
    "CircuitBreaker": Factory(_breaker, ("name", "fallbackUri"), ("statusCodes",)),
    "Retry": Factory(_retry, ("retries", "statuses", "methods")),
    "RequestSize": Factory(
        lambda arguments: RequestSize(arguments.read("maxSize", _bytes)), ("maxSize",)
    ),
    "Shadow": Factory(_mirror_target, ("uri", "share")),
}

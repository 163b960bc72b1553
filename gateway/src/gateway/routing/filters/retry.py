"""The Retry filter: what is asked again, how often, and after which pause."""

from collections.abc import Collection
from dataclasses import dataclass

from gateway.routing.filters.statuses import status
from gateway.routing.syntax.arguments import Arguments

# Doing it twice is doing it once (RFC 9110).
IDEMPOTENT = frozenset(("GET", "HEAD", "OPTIONS", "PUT", "DELETE"))
SERIES = {
    "INFORMATIONAL": 1,
    "SUCCESSFUL": 2,
    "REDIRECTION": 3,
    "CLIENT_ERROR": 4,
    "SERVER_ERROR": 5,
}
# By the last part of their names, whatever package they are of.
BROKEN_OFF = frozenset(
    ("IOException", "ConnectException", "SocketException", "ClosedChannelException")
)
TOO_LATE = frozenset(("TimeoutException", "ReadTimeoutException", "ConnectTimeoutException"))
FIELDS = ("retries", "statuses", "methods")
BACKOFF = (
    "backoff.firstBackoff",
    "backoff.maxBackoff",
    "backoff.factor",
    "backoff.basedOnPreviousValue",
)


@dataclass(frozen=True, slots=True)
class RetryBackoff:
    """Exponential, in seconds: `first`, then `factor` times as long each time, up to `most`."""

    first: float
    most: float | None = None
    factor: int = 2

    def before(self, retry: int) -> float:
        """The pause before a retry, of which the first is number 0."""
        pause = self.first * float(self.factor) ** min(retry, 60)
        return pause if self.most is None else min(pause, self.most)


@dataclass(frozen=True, slots=True)
class RetryFilter:
    """How often a request may be sent again, after which answers, and with which methods."""

    retries: int = 3
    methods: frozenset[str] = frozenset(("GET",))
    statuses: frozenset[int] = frozenset()
    backoff: RetryBackoff | None = None
    when_broken_off: bool = True

    def may(self, tried: int, method: str, status: int | None = None) -> bool:
        """After `tried` repeats; without a `status`, when the connection broke off."""
        is_listed = self.when_broken_off if status is None else status in self.statuses
        return is_listed and tried < self.retries and method in self.methods

    def pause(self, tried: int) -> float:
        return self.backoff.before(tried) if self.backoff else 0.0


# What a route without a Retry does when a connection breaks off.
DEFAULT_RETRY = RetryFilter(1, IDEMPOTENT)


def retry(arguments: Arguments) -> RetryFilter:
    methods = arguments.texts("methods", "GET")
    for method in methods:
        if method not in IDEMPOTENT:
            raise ValueError(f"methods: {method!r} must not be done twice, so it is never repeated")
    return RetryFilter(
        arguments.number("retries", "3"),
        frozenset(methods),
        _statuses(arguments),
        _backoff(arguments),
        _when_broken_off(arguments),
    )


def shortcut(text: str) -> dict[str, str]:
    """`3, 502, GET,PUT, 10ms, 50ms, 2, false`: the methods are those that look like one."""
    parts = [part.strip() for part in text.split(",")]
    args = dict(zip(FIELDS, parts[:2], strict=False))
    rest = parts[2:]
    methods = [part for part in rest if part.isalpha() and part not in ("true", "false")]
    if methods:
        args["methods"] = ",".join(methods)
    others = [part for part in rest if part not in methods]
    if len(others) > len(BACKOFF):
        raise ValueError(f"{others[-1]!r} is more than {', '.join((*FIELDS, *BACKOFF))}")
    return args | dict(zip(BACKOFF, others, strict=False))


def _statuses(arguments: Arguments) -> frozenset[int]:
    """Those listed, and those of the series: without either 5xx, as Spring has it."""
    listed = arguments.read_all("statuses", status) if arguments.given.get("statuses") else []
    default = "" if listed else "SERVER_ERROR"
    series = arguments.given.get("series", default)
    if not series:
        return frozenset(listed)
    names = arguments.texts("series", default)
    for name in names:
        if name not in SERIES:
            raise ValueError(f"series: {name!r} is unknown (known: {', '.join(SERIES)})")
    hundreds = [SERIES[name] * 100 for name in names]
    return frozenset(listed).union(*(range(first, first + 100) for first in hundreds))


def _when_broken_off(arguments: Arguments) -> bool:
    """Whether the list of exceptions, by default Spring's, has one for a lost connection."""
    names = _exceptions(arguments)
    for name in names:
        if name not in BROKEN_OFF | TOO_LATE | {"Exception", "Throwable"}:
            known = ", ".join(sorted(BROKEN_OFF | TOO_LATE))
            raise ValueError(f"exceptions: {name!r} is unknown (known: {known})")
    return not names or any(name not in TOO_LATE for name in names)


def _exceptions(arguments: Arguments) -> Collection[str]:
    if not arguments.given.get("exceptions"):
        return ()
    return [name.rpartition(".")[2] for name in arguments.texts("exceptions")]


def _backoff(arguments: Arguments) -> RetryBackoff | None:
    if not any(name in arguments for name in BACKOFF):
        return None
    # Of which number the next pause is a multiple makes no difference to a series of powers.
    arguments.flag("backoff.basedOnPreviousValue", "true")
    most = (
        arguments.seconds("backoff.maxBackoff", unit="ms")
        if "backoff.maxBackoff" in arguments
        else None
    )
    return RetryBackoff(
        arguments.seconds("backoff.firstBackoff", "5ms", unit="ms"),
        most,
        arguments.number("backoff.factor", "2", least=1),
    )

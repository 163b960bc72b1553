"""Everything that can go wrong for a caller, as one small tree.

Problem
├── BadRequest            the request cannot be read
├── Invalid               it can be read, and a field is wrong
├── Unauthenticated       the caller is not known
│   ├── InvalidToken      … though it has sent a token
│   ├── UnknownService    … as a service of the shop
│   └── UnknownGuest      … by name and password
├── Forbidden             the caller is not allowed to
│   ├── InsufficientScope … with the token that it has sent
│   └── NotAllowedToCall  … as the service that it is
├── NotFound              there is no such thing
│   └── NotTheirs         … for this caller: whether for others there is one, it is not told
├── MethodNotAllowed      there is, and this is not done with it
├── Conflict              it contradicts what is already so
├── TooLarge              the body is over the limit
├── HeadersTooLarge       … or the headers are
├── TargetTooLong         … or the address is
├── NotSentInTime         the rest of the request did not come
├── NotCached             a cache alone was asked, and it has nothing
├── UnsupportedMedia      the body is of another type
├── RateLimited           it is one of too many in so short a time
└── Unavailable           a part that is needed is away
    ├── CircuitOpen       … and for so long that it is not even called
    ├── Overloaded        … because it has too much to do
    ├── InstanceLost      … or rather one of its instances, while others are well
    └── TimedOut          … or too slow to wait for
        └── DeadlineOver  … by the time that the caller had left
"""

from collections.abc import Iterable, Sequence
from typing import Any

from typing_extensions import TypedDict


class FieldError(TypedDict):
    field: str
    message: str


class Problem(Exception):
    """What happened, in words for the caller; programs rely on the slug `code`.

    `members` are further members of the problem document, by their JSON names.
    `retry_after` is in seconds.
    """

    code = "internal-error"

    def __init__(
        self,
        detail: str,
        *,
        code: str | None = None,
        errors: Sequence[FieldError] = (),
        retry_after: int | None = None,
        **members: Any,
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.code = code or type(self).code
        self.errors = tuple(errors)
        self.retry_after = retry_after
        self.members = members


class BadRequest(Problem):
    code = "malformed-request"


class Invalid(Problem):
    code = "invalid-request"


class Unauthenticated(Problem):
    code = "unauthenticated"


class InvalidToken(Unauthenticated):
    """It is malformed, forged or expired, or its account is gone (RFC 6750, 3.1)."""


class UnknownService(Unauthenticated):
    code = "service-unauthenticated"


class UnknownGuest(Unauthenticated):
    """`realm` is what the name and the password are asked for (RFC 7617)."""

    def __init__(self, detail: str, realm: str) -> None:
        super().__init__(detail)
        self.realm = realm


class Forbidden(Problem):
    code = "forbidden"


class NotAllowedToCall(Forbidden):
    code = "service-not-allowed"


class InsufficientScope(Forbidden):
    """The token is good, and not for this (RFC 6750, 3.1)."""


class NotFound(Problem):
    code = "not-found"


class NotTheirs(NotFound):
    """Told in the words for what there is not: those of RFC 9110, 15.5.4, for hiding it."""


class MethodNotAllowed(Problem):
    """`allowed` are the methods that will do (RFC 9110, 15.5.6)."""

    code = "method-not-allowed"

    def __init__(self, method: str, allowed: Iterable[str]) -> None:
        super().__init__(f"{method} is not allowed here.")
        self.allowed = tuple(allowed)


class Conflict(Problem):
    code = "conflict"


class TooLarge(Problem):
    code = "body-too-large"


class HeadersTooLarge(Problem):
    code = "headers-too-large"


class TargetTooLong(Problem):
    code = "uri-too-long"


class NotSentInTime(Problem):
    code = "request-timeout"


class NotCached(Problem):
    code = "not-cached"


class UnsupportedMedia(Problem):
    code = "unsupported-media-type"


class RateLimited(Problem):
    code = "rate-limited"


class Unavailable(Problem):
    code = "service-unavailable"

    def __init__(self, detail: str, **given: Any) -> None:
        given.setdefault("retry_after", 1)
        super().__init__(detail, **given)


class CircuitOpen(Unavailable):
    code = "circuit-open"


class Overloaded(Unavailable):
    code = "overloaded"


class InstanceLost(Unavailable):
    """Says nothing about the called service, which has more instances than the one that died."""


class TimedOut(Unavailable):
    code = "upstream-timeout"


class DeadlineOver(TimedOut):
    """Says nothing about the called service, which may not even have been called."""


# Circuit breakers do not count these (resilience4j: ignoreExceptions).
IGNORED_BY_BREAKERS = (DeadlineOver, InstanceLost)


def first_line(error: BaseException) -> str:
    """What it says, for a log or a reason; its type when it says nothing."""
    return str(error).strip().partition("\n")[0] or type(error).__name__

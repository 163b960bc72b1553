"""What a shared cache may keep, how long, and for whom (RFC 9111): rules over plain values."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from multidict import MultiMapping

from gateway.cache.directives import NO_DIRECTIVES, directives, requested, seconds
from gateway.http.header_fields import RawHeaders, once
from gateway.http.messages import combined
from gateway.routing.request_view import RequestView

Headers = tuple[tuple[str, str], ...]

ETAG = re.compile(r'(?:W/)?("[^"]*"|[^\s,"]+)')
# Those whose meaning does not depend on what the client asked for.
STATUSES = frozenset((200, 203, 204, 301, 308, 404, 410))
# With one of these the answer is not the whole representation, or depends on what the client has.
PARTIAL = ("Range", "If-Match", "If-Range", "If-Unmodified-Since", "Upgrade")
NEVER_KEPT = (*PARTIAL, "Transfer-Encoding")
# Written anew for each answer.
NOT_KEPT = frozenset(("age", "warning", "connection", "transfer-encoding", "content-length"))
# What a 304 says of these is of the 304 (RFC 9111, 3.2).
NOT_RENEWED = NOT_KEPT | {"content-encoding", "content-type", "content-range"}
# What a service says who does not want it given when it is stale.
STRICT = frozenset(("must-revalidate", "proxy-revalidate", "s-maxage", "no-cache"))
STALE = '110 - "Response is Stale"'
# Of an entry's own objects, roughly.
OVERHEAD = 500


@dataclass(frozen=True, slots=True)
class CachedResponse:
    """An answer and its terms.

    It was made at `born`, is fresh for `lifetime` seconds, and for `grace` more it will do when
    nobody answers.  `vary` are the headers, with their values, that a request must have as well.
    """

    route: str
    status: int
    headers: Headers
    body: bytes
    born: float
    lifetime: float
    grace: float
    vary: tuple[tuple[str, str | None], ...] = ()

    @property
    def size(self) -> int:
        return OVERHEAD + len(self.body) + sum(len(n) + len(v) for n, v in self.headers)

    def header(self, name: str) -> str | None:
        return next((value for fields, value in self.headers if fields.lower() == name), None)

    def age(self, now: float) -> float:
        return max(0.0, now - self.born)

    def is_for(self, route: str, view: RequestView) -> bool:
        return self.route == route and all(
            combined(view.headers, name) == value for name, value in self.vary
        )

    def is_fresh(self, now: float, view: RequestView) -> bool:
        """Whether it is new enough for this client."""
        demands, limit = requested(view.headers), self.lifetime
        if demands is NO_DIRECTIVES:
            return self.age(now) < limit
        if demands.no_cache:
            return False
        if demands.min_fresh:
            limit -= demands.min_fresh
        elif demands.max_stale and not self._must_be_fresh:
            limit += demands.max_stale
        return self.age(now) < min(limit, demands.max_age)

    @property
    def _must_be_fresh(self) -> bool:
        """Whether its service forbids to give it when it is stale (RFC 9111, 4.2.4)."""
        return not STRICT.isdisjoint(directives(_fields(self.headers).get("cache-control", "")))

    def will_do(self, now: float) -> bool:
        """Whether it may be given when nobody answers."""
        return self.age(now) < self.lifetime + self.grace

    @property
    def conditions(self) -> dict[str, str]:
        """The headers that ask whether it is still so."""
        etag, modified = self.header("etag"), self.header("last-modified")
        if etag:
            return {"If-None-Match": etag}
        return {"If-Modified-Since": modified} if modified else {}

    def is_had_by(self, view: RequestView) -> bool:
        """Whether the client's own copy is this one, so that 304 says it all."""
        etag, had = self.header("etag"), combined(view.headers, "If-None-Match")
        if had is not None:
            return had.strip() == "*" or (etag or "").removeprefix("W/") in ETAG.findall(had)
        modified = self.header("last-modified")
        return modified is not None and modified == view.headers.get("If-Modified-Since")

    def shown(self, now: float) -> list[tuple[str, str]]:
        """Its headers, with the age that it has by now."""
        age = [("Age", str(int(self.age(now))))]
        warning = [] if self.age(now) < self.lifetime else [("Warning", STALE)]
        return [*self.headers, *age, *warning]


def is_candidate(view: RequestView) -> bool:
    """Whether a cached response may be given to this request at all."""
    return view.method == "GET" and once(view.headers, _lets_keep)


def _lets_keep(headers: MultiMapping[str]) -> bool:
    if any(name in headers for name in NEVER_KEPT) or headers.get("Content-Length", "0") != "0":
        return False
    return not requested(headers).no_store


def may_be_kept(status: int, pairs: Iterable[tuple[str, str]]) -> bool:
    """Whether that is worth a closer look."""
    is_silent = isinstance(pairs, RawHeaders) and b"cache-control" not in pairs.names
    return status in STATUSES and not is_silent


def keep(
    route: str,
    view: RequestView,
    status: int,
    pairs: Iterable[tuple[str, str]],
    body: bytes,
    **when: float,
) -> CachedResponse | None:
    """The answer with its terms, or None when it may not be kept.

    `when`: it was `asked` for at that moment of the clock, so it is no older; `grace` in seconds is
    for an answer that does not say itself how long it will do when nobody answers.
    """
    if not may_be_kept(status, pairs):
        return None
    pairs = list(pairs)
    fields = _fields(pairs)
    given = directives(fields.get("cache-control", ""))
    if not _is_shared(given, fields, view) or "*" in fields.get("vary", ""):
        return None
    headers = tuple((n, v) for n, v in pairs if n.lower() not in NOT_KEPT)
    cached = CachedResponse(route, status, headers, body, 0.0, 0.0, 0.0, _vary(fields, view))
    cached = _with_terms(cached, given, fields, when)
    return cached if cached.lifetime > 0 or cached.conditions else None


def renewed(
    cached: CachedResponse, pairs: Iterable[tuple[str, str]], **when: float
) -> CachedResponse:
    """`cached` after a 304 whose headers are `pairs`."""
    pairs = list(pairs)
    new = tuple((n, v) for n, v in pairs if n.lower() not in NOT_RENEWED)
    names = {name.lower() for name, _ in new}
    old = tuple((n, v) for n, v in cached.headers if n.lower() not in names)
    fields = _fields((*old, *pairs))
    given = directives(fields.get("cache-control", ""))
    return _with_terms(replace(cached, headers=old + new), given, fields, when)


def _with_terms(
    cached: CachedResponse,
    given: Mapping[str, str | None],
    fields: Mapping[str, str],
    when: Mapping[str, float],
) -> CachedResponse:
    lifetime = seconds(given.get("s-maxage", given.get("max-age", "0")))
    strict = STRICT & given.keys()
    grace = seconds(given["stale-if-error"]) if "stale-if-error" in given else when["grace"]
    return replace(
        cached,
        # Of several ages the first counts, and one that is no number is none (5.1).
        born=when["asked"] - seconds(fields.get("age", "").partition(",")[0].strip()),
        lifetime=0.0 if "no-cache" in given else lifetime,
        grace=0.0 if strict else grace,
    )


def _is_shared(
    given: Mapping[str, str | None], fields: Mapping[str, str], view: RequestView
) -> bool:
    if not ({"max-age", "s-maxage"} & given.keys()) or {"no-store", "private"} & given.keys():
        return False
    if "set-cookie" in fields:
        return False
    if "Authorization" in view.headers:
        return bool({"public", "s-maxage", "must-revalidate"} & given.keys())
    return True


def _vary(fields: Mapping[str, str], view: RequestView) -> tuple[tuple[str, str | None], ...]:
    names = sorted({part.strip().lower() for part in fields.get("vary", "").split(",")} - {""})
    return tuple((name, combined(view.headers, name)) for name in names)


def _fields(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """By lower-case name, the lines of one field as one."""
    fields: dict[str, str] = {}
    for name, value in pairs:
        name = name.lower()
        fields[name] = f"{fields[name]}, {value}" if name in fields else value
    return fields

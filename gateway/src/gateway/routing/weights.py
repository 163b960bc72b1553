"""Weighted routes: which of a group gets a request, by lot or always the same for one user."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import blake2b

from gateway.routing.definitions import Arguments, Kind
from gateway.routing.request_view import Seen

STICKY = ("user", "address", "cookie:NAME", "header:NAME")


@dataclass(frozen=True, slots=True)
class Key:
    """What of a request tells one client from another: its user, address, a cookie or a header."""

    source: str
    name: str = ""

    def of(self, seen: Seen) -> str | None:
        if self.source == "user":
            return seen.user
        if self.source == "address":
            return seen.remote
        if self.source == "cookie":
            return next(seen.cookies(self.name), None)
        return seen.headers.get(self.name)


def key(text: str) -> Key:
    source, colon, name = text.partition(":")
    named = source in ("cookie", "header")
    if (not named and (source not in STICKY or colon)) or (named and not name):
        raise ValueError(f"{text!r} is unknown (known: {', '.join(STICKY)})")
    return Key(source, name.strip())


@dataclass(frozen=True, slots=True)
class Relapse:
    """When a route loses its weight by itself: too great a share of errors within a window."""

    max_error_share: float
    min_calls: int = 20
    window_seconds: float = 30.0
    # Another one is another attempt: whoever has lost its weight gets it back.
    attempt: str = ""


@dataclass(frozen=True, slots=True)
class Weight:
    """`is_reserve` for one that takes all when nobody else of its group weighs anything."""

    group: str
    weight: int
    sticky: Key | None = None
    relapse: Relapse | None = None
    is_reserve: bool = False


def _weight(said: Arguments) -> Weight:
    relapse = None
    if "maxErrorShare" in said:
        relapse = Relapse(
            said.fraction("maxErrorShare"),
            said.number("minCalls", "20", least=1),
            said.seconds("window", "30s"),
        )
    return Weight(
        said.text("group"),
        said.number("weight"),
        said.read("sticky", key) if "sticky" in said else None,
        relapse,
    )


KIND = Kind(_weight, ("group", "weight", "sticky"), ("maxErrorShare", "minCalls", "window"))


def by_lot(members: Iterable[tuple[str, int]], lot: float) -> str | None:
    """The member on which `lot` (0 to 1) falls; None when no member weighs anything."""
    found = [(name, weight) for name, weight in members if weight > 0]
    left = lot * sum(weight for _, weight in found)
    for name, weight in found:
        left -= weight
        if left < 0:
            return name
    return found[-1][0] if found else None


def by_key(members: Iterable[tuple[str, int]], key: str) -> str | None:
    """The member to which `key` sticks.

    Weighted rendezvous hashing: when a weight grows, keys only move towards it, and when one
    becomes 0, only its own keys move.
    """
    scores = [(_score(name, key, weight), name) for name, weight in members if weight > 0]
    return min(scores)[1] if scores else None


def _score(name: str, key: str, weight: int) -> float:
    digest = blake2b(f"{name}\0{key}".encode("utf-8", "surrogateescape"), digest_size=8).digest()
    share = (int.from_bytes(digest) + 1) / 2**64
    return -math.log(share) / weight

"""Weighted routes: which of a group gets a request, at random or by what it sticks to."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import blake2b

from gateway.routing.request_view import RequestView
from gateway.routing.syntax.arguments import Arguments
from gateway.routing.syntax.definitions import ShortcutConfigurable

STICKY = ("user", "address", "cookie:NAME", "header:NAME")


@dataclass(frozen=True, slots=True)
class ClientKey:
    """What of a request tells one client from another: its user, address, a cookie or a header."""

    source: str
    name: str = ""

    def of(self, view: RequestView) -> str | None:
        if self.source == "user":
            return view.user
        if self.source == "address":
            return view.remote
        if self.source == "cookie":
            return next(view.cookies(self.name), None)
        return view.headers.get(self.name)


def key(text: str) -> ClientKey:
    source, colon, name = text.partition(":")
    named = source in ("cookie", "header")
    if (not named and (source not in STICKY or colon)) or (named and not name):
        raise ValueError(f"{text!r} is unknown (known: {', '.join(STICKY)})")
    return ClientKey(source, name.strip())


@dataclass(frozen=True, slots=True)
class CanaryRollback:
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
    sticky: ClientKey | None = None
    rollback: CanaryRollback | None = None
    is_reserve: bool = False


def _weight(arguments: Arguments) -> Weight:
    rollback = None
    if "maxErrorShare" in arguments:
        rollback = CanaryRollback(
            arguments.fraction("maxErrorShare"),
            arguments.number("minCalls", "20", least=1),
            arguments.seconds("window", "30s"),
        )
    return Weight(
        arguments.text("group"),
        arguments.number("weight"),
        arguments.read("sticky", key) if "sticky" in arguments else None,
        rollback,
    )


FACTORY = ShortcutConfigurable(
    _weight, ("group", "weight", "sticky"), ("maxErrorShare", "minCalls", "window")
)


def by_random_draw(members: Iterable[tuple[str, int]], random_draw: float) -> str | None:
    """The member on which `random_draw` (0 to 1) falls; None when no member weighs anything."""
    weighted = [(name, weight) for name, weight in members if weight > 0]
    left = random_draw * sum(weight for _, weight in weighted)
    for name, weight in weighted:
        left -= weight
        if left < 0:
            return name
    return weighted[-1][0] if weighted else None


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

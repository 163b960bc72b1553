"""Cache-Control (RFC 9111, 5.2): its directives, and what a request asks of a cache by them."""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from multidict import MultiMapping

from gateway.http.header_fields import once
from gateway.http.messages import combined

QUOTED = re.compile(r'"(?:[^"\\]|\\.)*+("?)', re.DOTALL)
SEPARATORS = re.compile(r"[,;=\s]")
SPACES = re.compile(r"[\s;]+")
# RFC 9111, 1.2.2: what is more than that is that.
LONGEST = 2**31
ANY_AGE = float(LONGEST)


@dataclass(frozen=True, slots=True)
class RequestDirectives:
    """`max_age` and the others are in seconds."""

    no_cache: bool = False
    no_store: bool = False
    only_if_cached: bool = False
    max_age: float = math.inf
    min_fresh: float = 0.0
    max_stale: float = 0.0


NO_DIRECTIVES = RequestDirectives()


def requested(headers: MultiMapping[str]) -> RequestDirectives:
    """What a request with `headers` asks of a cache; Pragma counts without a Cache-Control."""
    return once(headers, _of)


def _of(headers: MultiMapping[str]) -> RequestDirectives:
    if "Cache-Control" not in headers and "Pragma" not in headers:
        return NO_DIRECTIVES
    if text := combined(headers, "Cache-Control"):
        return _requested(text)
    if text := combined(headers, "Pragma"):
        return RequestDirectives(no_cache="no-cache" in directives(text))
    return NO_DIRECTIVES


def directives(text: str) -> dict[str, str | None]:
    """Those of a Cache-Control, lower case; of a repeated one the first counts (4.2.1)."""
    fields: dict[str, str | None] = {}
    for name, value in _pairs(text):
        fields.setdefault(name, value)
    return fields


def seconds(text: str | None) -> float:
    """What is malformed is stale."""
    if text is None or not (text.isascii() and text.isdigit()):
        return 0.0
    digits = text.lstrip("0") or "0"
    return float(LONGEST if len(digits) > len(str(LONGEST)) else min(int(digits), LONGEST))


@lru_cache(maxsize=256)
def _requested(text: str) -> RequestDirectives:
    """Of a directive that is said twice or wrongly, what leaves least to the cache counts."""
    pairs = list(_pairs(text))
    names = {name for name, _ in pairs}
    ages = [seconds(value) for name, value in pairs if name == "max-age"]
    fresh = [_at_least(value) for name, value in pairs if name == "min-fresh"]
    stale = [
        ANY_AGE if value is None else seconds(value) for name, value in pairs if name == "max-stale"
    ]
    return RequestDirectives(
        no_cache="no-cache" in names,
        no_store="no-store" in names,
        only_if_cached="only-if-cached" in names,
        max_age=min(ages, default=math.inf),
        min_fresh=max(fresh, default=0.0),
        max_stale=min(stale, default=0.0),
    )


def _at_least(text: str | None) -> float:
    return seconds(text) if text and text.isascii() and text.isdigit() else ANY_AGE


def _pairs(text: str) -> Iterator[tuple[str, str | None]]:
    """Name and value; words where none belong are directives too: one may forbid something."""
    if '"' in text:
        text = QUOTED.sub(_as_one_word, text)
    for member in text.split(","):
        name, equals, value = member.partition("=")
        *before, name = SPACES.split(name.strip())
        value = value.strip()
        yield name.lower(), _unquoted(value) if equals else None
        for more in (*before, *SPACES.split(value)[1:]):
            yield more.partition("=")[0].lower(), None


def _as_one_word(quoted: re.Match[str]) -> str:
    """Quotes that do not end quote nothing."""
    return SEPARATORS.sub("_", quoted[0]) if quoted[1] else quoted[0]


def _unquoted(value: str) -> str:
    return value[1:-1] if len(value) > 1 and value[0] == value[-1] == '"' else value

"""JSON (RFC 8259) from outside, read in one way only: what is ambiguous is refused.

Parsers differ over a name that stands twice, so that a check and an effect may read two different
values (RFC 8259, 4); NaN and Infinity are no JSON at all.
"""

import json
import math
from collections import Counter
from typing import Any

from chassis.core.errors import BadRequest

DEEPEST = 100
LONGEST_NAME = 64


def loads(content: bytes) -> Any:
    """The value in `content`.  Raises BadRequest, which says what is wrong with it."""
    try:
        value = DECODER.decode(content.decode())
    except UnicodeDecodeError as error:
        raise BadRequest(f"The body is no JSON: no UTF-8 at byte {error.start}.") from error
    except RecursionError as error:
        raise _too_deep() from error
    except ValueError as error:  # of digits too many as well
        raise BadRequest(f"The body is no JSON: {error}.") from error
    # It takes so many brackets to go so deep: nearly no body has to be walked through.
    if content.count(b"[") + content.count(b"{") > DEEPEST:
        _require_shallow(value)
    return value


def _object(members: list[tuple[str, Any]]) -> dict[str, Any]:
    document = dict(members)
    if len(document) == len(members):
        return document
    twice, _ = Counter(name for name, _ in members).most_common(1)[0]
    raise BadRequest(
        f"The body says {_printable(twice)} twice in one object: it cannot be known which is meant."
    )


def _printable(name: str) -> str:
    return json.dumps(name[:LONGEST_NAME])


def _refuse_constant(name: str) -> Any:
    raise BadRequest(f"The body is no JSON: {name} is no number.")


def _float(digits: str) -> float:
    number = float(digits)
    if math.isinf(number):
        raise BadRequest(f"The body has a number beyond all bounds: {digits[:LONGEST_NAME]}.")
    return number


def _require_shallow(value: Any) -> None:
    """A level at a time: to recurse is what deep nesting would break."""
    level = [value]
    for _ in range(DEEPEST + 1):
        if not level:
            return
        level = [
            member
            for container in level
            if isinstance(container, dict | list)
            for member in (container.values() if isinstance(container, dict) else container)
        ]
    raise _too_deep()


def _too_deep() -> BadRequest:
    return BadRequest(f"The body is nested deeper than {DEEPEST} levels.")


DECODER = json.JSONDecoder(
    object_pairs_hook=_object, parse_constant=_refuse_constant, parse_float=_float
)

"""The Idempotency-Key header: a string in quotes, as the IETF draft has it, or bare.

A proxy or a library may send the header twice; lines are one list (RFC 9110, 5.3), and a list of
different keys would leave open which of them is meant.
"""

import re

from chassis.core.errors import Invalid
from chassis.web.operations import Parameter

LONGEST_KEY = 255
# RFC 8941, 3.3.3, and anything without control characters, quotes and commas.
KEY = re.compile(
    r'[ \t]*(?:"((?:[ !#-\[\]-~]|\\["\\])*)"|([^\x00-\x20\x7f",](?:[^\x00-\x1f\x7f",]*'
    r'[^\x00-\x20\x7f",])?))[ \t]*(?:,|$)'
)
ESCAPED = re.compile(r"\\(.)")
HEADER = Parameter(
    "Idempotency-Key",
    "header",
    "The same key with the same body gets the first answer, and has no second effect.",
    {"type": "string", "minLength": 1, "maxLength": LONGEST_KEY, "format": "idempotency-key"},
    "order-4711",
)


def parse(header: str | None) -> str | None:
    """The key; a quoted one is the same as the bare one.  Raises Invalid."""
    if header is None:
        return None
    keys: set[str] = set()
    position = 0
    while position < len(header) or not keys:
        match = KEY.match(header, position)
        if match is None:
            raise _invalid(
                "a key without control characters; one with commas or quotes in it stands in"
                ' quotes, as in "a, b"'
            )
        keys.add(match[2] if match[1] is None else ESCAPED.sub(r"\1", match[1]))
        position = match.end()
    if len(keys) > 1:
        raise _invalid("one key, not several")
    (key,) = keys
    if not 1 <= len(key) <= LONGEST_KEY:
        raise _invalid(f"1 to {LONGEST_KEY} characters")
    return key


def _invalid(message: str) -> Invalid:
    return Invalid(
        "The Idempotency-Key is none.", errors=[{"field": "Idempotency-Key", "message": message}]
    )

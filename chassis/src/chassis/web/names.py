"""Names that people read: one line that shows something, in Unicode's composed form (NFC)."""

import re
import unicodedata
from collections.abc import Callable
from typing import Any

from pydantic_core import PydanticCustomError

# At the ends; other control characters are no slip of the keyboard.
SPACES = " \t\n\v\f\r\xa0\u1680\u2000-\u200a\u202f\u205f\u3000"
AROUND = re.compile(f"^[{SPACES}]+|[{SPACES}]+$")
# Control characters (Cc), separators of lines, halves of surrogate pairs, and what turns the
# direction of all text behind it.  Joiners stay: emoji and several scripts are written with them.
FORBIDDEN = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\u202a-\u202e\u2066-\u2069]")
FORMAT = "one-line"
# Letters and symbols by their category, and yet blank.
BLANK = frozenset("\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")


def one_line(longest: int) -> Callable[[str], str]:
    """A validator for a name of 1 to `longest` characters."""

    def validate(text: str) -> str:
        name = unicodedata.normalize("NFC", AROUND.sub("", text))
        if FORBIDDEN.search(name):
            raise PydanticCustomError("name", "a name without control characters")
        if not any(map(_shows, name)):
            raise PydanticCustomError("name", "a name with at least one visible character")
        if len(name) > longest:
            raise PydanticCustomError(
                "name", "a name of at most {longest} characters", {"longest": longest}
            )
        return name

    return validate


def schema(longest: int) -> dict[str, Any]:
    """What JSON Schema can say of it; the format stands for the rest."""
    return {"minLength": 1, "maxLength": longest, "format": FORMAT}


def _shows(character: str) -> bool:
    """A letter, a number, punctuation or a symbol."""
    return unicodedata.category(character)[0] in "LNPS" and character not in BLANK

"""The Prefer header (RFC 7240): what a client would like, and what it may be refused in silence."""

import re

from chassis.web.operations import Parameter

TOKEN = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
VALUE = rf'(?:{TOKEN}|"(?:[^"\\]|\\.)*")'
# White space has one place in them: with two, what is malformed would be tried in endless ways.
PARAMETER = rf"{TOKEN}(?:[ \t]*=(?:[ \t]*{VALUE})?)?"
PREFERENCE = re.compile(
    rf"[ \t]*({TOKEN})(?:[ \t]*=(?:[ \t]*({VALUE}))?)?[ \t]*"
    rf"(?:;(?:[ \t]*{PARAMETER})?[ \t]*)*(?=,|$)"
)
# A preference that is none, to be passed over: a quoted comma does not end it.
ANYTHING = re.compile(r'(?:[^",]|"(?:[^"\\]|\\.)*(?:"|$))*')
ESCAPED = re.compile(r"\\(.)")
# Of seconds: nobody is patient for longer than these digits can say.
MOST_DIGITS = 9
HEADER = Parameter(
    "Prefer",
    "header",
    "`wait=5` holds the answer until it is decided, at most so many seconds (RFC 7240).",
    {"type": "string"},
    "wait=5",
)


def preferences(header: str) -> dict[str, str]:
    """Each preference by its name in small letters, with its value or none.

    Of several with one name the first counts; what cannot be read is passed over.
    """
    known: dict[str, str] = {}
    position = 0
    while position <= len(header):
        match = PREFERENCE.match(header, position)
        if match:
            known.setdefault(match[1].lower(), _unquoted(match[2] or ""))
        else:
            match = ANYTHING.match(header, position)
        position = (match.end() if match else len(header)) + 1
    return known


def wait_seconds(header: str, longest: float) -> float:
    """How long the answer may be held, at most `longest`; 0 when the client does not say."""
    digits = preferences(header).get("wait", "")
    if not (digits.isascii() and digits.isdigit()):
        return 0.0
    return min(float(digits.lstrip("0")[:MOST_DIGITS] or 0), longest)


def _unquoted(value: str) -> str:
    return ESCAPED.sub(r"\1", value[1:-1]) if value.startswith('"') else value

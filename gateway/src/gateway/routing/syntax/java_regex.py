"""Java's regular expressions (java.util.regex.Pattern) as Python's."""

import re
import sys
import unicodedata
from collections.abc import Callable
from functools import lru_cache

# As Java has them without (?U): of ASCII only.
POSIX = {
    "Lower": "a-z",
    "Upper": "A-Z",
    "ASCII": r"\x00-\x7f",
    "Alpha": "a-zA-Z",
    "Digit": "0-9",
    "Alnum": "a-zA-Z0-9",
    "Punct": r"!-/:-@\[-`{-~",
    "Graph": "!-~",
    "Print": r"\x20-\x7e",
    "Blank": r" \t",
    "Cntrl": r"\x00-\x1f\x7f",
    "XDigit": "0-9a-fA-F",
    "Space": r" \t\n\x0b\f\r",
}
# Those for which a method of Python's strings asks what Java asks.
PROPERTIES: dict[str, Callable[[str], bool]] = {
    "IsAlphabetic": str.isalpha,
    "IsLetter": str.isalpha,
    "IsDigit": lambda character: unicodedata.category(character) == "Nd",
    "IsLowercase": str.islower,
    "IsUppercase": str.isupper,
    "IsWhite_Space": str.isspace,
    "javaLowerCase": str.islower,
    "javaUpperCase": str.isupper,
    "javaWhitespace": str.isspace,
}
CATEGORY = re.compile("L[ultmo]?|M[nce]?|N[dlo]?|P[cdseifo]?|S[mcko]?|Z[slp]?|C[cfosn]?")
HORIZONTAL = r" \t\xa0\u1680\u180e\u2000-\u200a\u202f\u205f\u3000"
VERTICAL = r"\n\x0b\f\r\x85\u2028\u2029"
SPACES = {"h": HORIZONTAL, "v": VERTICAL}
ALIKE = "dDsSwWbBA123456789tnrfa"
HEX = re.compile(r"u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|x\{([0-9a-fA-F]{1,6})\}")
PROPERTY = re.compile(r"([pP])(?:\{(\^?)(?:Is|general_category=|gc=)?(\w+)\}|()(\w))")
GROUP = re.compile(r"k<([A-Za-z]\w*)>")
OCTAL = re.compile("0([0-3]?[0-7]{1,2})")


def compiled(text: str) -> re.Pattern[str]:
    """Raises ValueError for what is none, in Java or as far as Python can say the same."""
    try:
        # Java's \d, \w and (?i) are those of ASCII.
        return re.compile(_Translation(text).result(), re.ASCII)
    except (re.error, ValueError, OverflowError) as error:
        raise ValueError(f"{text!r} is not a regular expression: {error}") from error


class _Translation:
    """One expression, read from left to right."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0

    def result(self) -> str:
        parts = []
        while self._at < len(self._text):
            parts.append(self._next())
        return "".join(parts)

    def _next(self) -> str:
        rest = self._text[self._at :]
        if rest.startswith("\\Q"):
            return re.escape(self._quoted())
        if rest.startswith("\\"):
            return self._escape(in_class=False)
        if rest.startswith("["):
            return self._class()
        if rest.startswith("(?<") and rest[3:4] not in ("=", "!"):
            self._at += 3
            return "(?P<"
        self._at += 1
        return rest[0]

    def _quoted(self) -> str:
        """What stands between \\Q and \\E, or the end."""
        begin = self._at + 2
        end = self._text.find("\\E", begin)
        self._at = len(self._text) if end < 0 else end + 2
        return self._text[begin : None if end < 0 else end]

    def _escape(self, in_class: bool) -> str:
        self._at += 1
        rest = self._text[self._at :]
        if not rest:
            raise ValueError("it ends in a backslash")
        if match := HEX.match(rest):
            return self._taken(match, re.escape(chr(int(match[1] or match[2] or match[3], 16))))
        if match := PROPERTY.match(rest):
            return self._taken(match, self._property(match, in_class))
        if match := OCTAL.match(rest):
            return self._taken(match, re.escape(chr(int(match[1], 8))))
        if (match := GROUP.match(rest)) and not in_class:
            return self._taken(match, f"(?P={match[1]})")
        self._at += 1
        return _one(rest[0], in_class)

    def _taken(self, match: re.Match[str], meaning: str) -> str:
        self._at += match.end()
        return meaning

    def _property(self, match: re.Match[str], in_class: bool) -> str:
        name = match[3] or match[5]
        # `\p{Is…}` is looked up with its prefix first: IsAlphabetic, but Lu for IsLu.
        known = next((key for key in (f"Is{name}", name) if _is_known(key)), None)
        if known is None:
            raise ValueError(f"\\{match[0]} is not known here")
        negated = (match[1] == "P") != bool(match[2])
        ranges = _ranges(known)
        if not in_class:
            return f"[{'^' if negated else ''}{ranges}]"
        return _complement(ranges) if negated else ranges

    def _class(self) -> str:
        """`[…]`, and what only Java has in it: classes within classes, and `\\Q…\\E`."""
        self._at += 1
        parts = ["["]
        if self._text.startswith("^", self._at):
            parts.append("^")
            self._at += 1
        if self._text.startswith("]", self._at):
            raise ValueError("write \\] within [ ]")
        while True:
            rest = self._text[self._at :]
            if not rest:
                raise ValueError("a [ is not closed")
            if rest.startswith("]"):
                self._at += 1
                return "".join(parts) + "]"
            parts.append(self._within_class(rest))

    def _within_class(self, rest: str) -> str:
        if rest.startswith("&&"):
            raise ValueError("the intersection of classes, &&, is not known here")
        if rest.startswith("\\Q"):
            return re.escape(self._quoted())
        if rest.startswith("\\"):
            return self._escape(in_class=True)
        if rest.startswith("[^"):
            raise ValueError("a class within a class cannot be negated here")
        if rest.startswith("["):
            return self._class()[1:-1]
        self._at += 1
        return re.escape(rest[0]) if rest[0] in "~|&" else rest[0]


def _one(letter: str, in_class: bool) -> str:
    """What one letter after a backslash means."""
    if letter in SPACES:
        return SPACES[letter] if in_class else f"[{SPACES[letter]}]"
    if letter.lower() in SPACES and not in_class:
        return f"[^{SPACES[letter.lower()]}]"
    if in_class and letter in "bBA":
        raise ValueError(f"\\{letter} has no meaning within [ ]")
    if letter == "e":
        return r"\x1b"
    if letter == "z" and not in_class:
        return r"\Z"
    if letter == "Z" and not in_class:
        return r"(?=[\n\r\x85\u2028\u2029]?\Z)"
    if letter == "R" and not in_class:
        return f"(?:\r\n|[{VERTICAL}])"
    if letter in ALIKE or not letter.isascii() or not letter.isalnum():
        return f"\\{letter}" if letter.isascii() else letter
    raise ValueError(f"\\{letter} is not known here")


def _is_known(name: str) -> bool:
    return name in POSIX or name in PROPERTIES or CATEGORY.fullmatch(name) is not None


@lru_cache(maxsize=32)
def _ranges(name: str) -> str:
    """The characters of a property, as they stand within [ ]."""
    if name in POSIX:
        return POSIX[name]
    takes = PROPERTIES.get(name) or (
        lambda character: unicodedata.category(character).startswith(name)
    )
    return _written([code for code in range(sys.maxunicode + 1) if takes(chr(code))])


@lru_cache(maxsize=32)
def _complement(ranges: str) -> str:
    pattern = re.compile(f"[{ranges}]")
    return _written([c for c in range(sys.maxunicode + 1) if not pattern.match(chr(c))])


def _written(codes: list[int]) -> str:
    """`a-cx` for the codes of a, b, c and x."""
    parts: list[str] = []
    begin = 0
    for i, code in enumerate(codes):
        if i + 1 == len(codes) or codes[i + 1] != code + 1:
            parts.append(f"\\U{codes[begin]:08x}-\\U{code:08x}")
            begin = i + 1
    return "".join(parts)

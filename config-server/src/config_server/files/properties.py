"""Java's `.properties` files, several documents in one (`#---`) included."""

import re
from collections.abc import Iterator

from config_server.model import PropertyValue, UnreadableFile

BREAK = re.compile(r"[#!]---[ \t]*")
BLANK = " \t\f"
# Everything up to the first separator that no backslash protects.
KEY = re.compile(r"(?:[^\\=: \t\f]|\\.)*", re.DOTALL)
SEPARATOR = re.compile(r"[ \t\f]*[=:]?[ \t\f]*")
ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{4}|.)", re.DOTALL)
NAMED = {"t": "\t", "n": "\n", "r": "\r", "f": "\f"}


def parse(content: bytes, name: str) -> list[dict[str, PropertyValue]]:
    """The documents of the file in their order, those without a property left out."""
    documents: list[dict[str, PropertyValue]] = [{}]
    for number, line in _logical_lines(_text(content)):
        if BREAK.fullmatch(line):
            documents.append({})
        elif line and line[0] not in "#!":
            key, value, column = _entry(line, f"{name}, line {number}")
            documents[-1][key] = PropertyValue(value, f"{number}:{column}")
    return [properties for properties in documents if properties]


def _text(content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("latin-1")  # what Java wrote before it wrote UTF-8


def _logical_lines(text: str) -> Iterator[tuple[int, str]]:
    """Each with its number; a backslash at the end carries on into the next."""
    start, pending = 0, ""
    for number, line in enumerate(re.split(r"\r\n|\r|\n", text), 1):
        part = line.lstrip(BLANK)
        if pending:
            part = pending + part
        else:
            start = number
        pending = part[:-1] if _carries_on(part) else ""
        if not pending:
            yield start, part
    if pending:
        yield start, pending


def _carries_on(line: str) -> bool:
    ending = len(line) - len(line.rstrip("\\"))
    return ending % 2 == 1 and line[0] not in "#!"


def _entry(line: str, place: str) -> tuple[str, str, int]:
    key = KEY.match(line)
    end = key.end() if key else 0
    separator = SEPARATOR.match(line, end)
    begin = separator.end() if separator else end
    return _unescaped(line[:end], place), _unescaped(line[begin:], place), begin + 1


def _unescaped(text: str, place: str) -> str:
    def one(match: re.Match[str]) -> str:
        escaped = match[1]
        if len(escaped) == 5:
            return chr(int(escaped[1:], 16))
        if escaped == "u":
            raise UnreadableFile(f"{place}: \\u takes four hexadecimal digits")
        return NAMED.get(escaped, escaped)

    plain = ESCAPE.sub(one, text)
    try:
        # Two escapes may be the halves of one character.
        return plain.encode("utf-16", "surrogatepass").decode("utf-16")
    except UnicodeDecodeError as error:
        raise UnreadableFile(f"{place}: half a character") from error

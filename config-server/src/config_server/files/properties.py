"""Java's `.properties` files, several documents in one (`#---`) included.

A parser of our own: clients of Spring are told the line and column of each value, which libraries
do not report; and its time grows with the size of a file only, whatever the file contains.
"""

import re
from collections.abc import Iterator

from config_server.model import PropertyValue, UnreadableFile

DOCUMENT_BREAK = re.compile(r"[#!]---[ \t]*")
LINE_BREAK = re.compile(r"\r\n|\r|\n")
COMMENT = ("#", "!")
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
        if line is None:
            documents.append({})
        elif line:
            key, value, column = _entry(line, f"{name}, line {number}")
            documents[-1][key] = PropertyValue(value, f"{number}:{column}")
    return [properties for properties in documents if properties]


def _text(content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("latin-1")  # what Java wrote before it wrote UTF-8


def _logical_lines(text: str) -> Iterator[tuple[int, str | None]]:
    """Lines with their numbers, comments left out; None begins another document.

    A backslash at the end continues a line in the next one.
    """
    start = 0
    parts: list[str] = []
    for number, line in enumerate(LINE_BREAK.split(text), 1):
        part = line.lstrip(BLANK)
        if not parts:
            start = number
            if part.startswith(COMMENT):
                if DOCUMENT_BREAK.fullmatch(part):
                    yield number, None
                continue
        if _is_continued(part):
            parts.append(part[:-1])
        else:
            yield start, "".join([*parts, part])
            parts = []
    if parts:
        yield start, "".join(parts)


def _is_continued(line: str) -> bool:
    backslashes = len(line) - len(line.rstrip("\\"))
    return backslashes % 2 == 1


def _entry(line: str, place: str) -> tuple[str, str, int]:
    key = KEY.match(line)
    end = key.end() if key else 0
    separator = SEPARATOR.match(line, end)
    begin = separator.end() if separator else end
    return _unescaped(line[:end], place), _unescaped(line[begin:], place), begin + 1


def _unescaped(text: str, place: str) -> str:
    def replace(match: re.Match[str]) -> str:
        escaped = match[1]
        if len(escaped) == 5:
            return chr(int(escaped[1:], 16))
        if escaped == "u":
            raise UnreadableFile(f"{place}: \\u takes four hexadecimal digits")
        return NAMED.get(escaped, escaped)

    plain = ESCAPE.sub(replace, text)
    try:
        # Two escapes may be the halves of one character.
        return plain.encode("utf-16", "surrogatepass").decode("utf-16")
    except UnicodeDecodeError as error:
        raise UnreadableFile(f"{place}: half a character") from error

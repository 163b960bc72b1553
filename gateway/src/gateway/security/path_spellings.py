"""What a service may take a path for: the ways in which servers read one that is spelled oddly."""

import posixpath
import re
from collections.abc import Iterable, Iterator
from urllib.parse import unquote

# What can be spelled in another way.
FOLDS = re.compile(r"[%\\;]|//|/\.|/$")
# RFC 3986, 3.3: a servlet container takes these off before it looks for the resource.
PARAMETERS = re.compile(r";[^/]*")
SLASHES = re.compile(r"//+")
# Decoded so often: once by the server, and again by what stands before or behind it.
MOST_DECODED = 4


def spellings(path: str) -> Iterable[str]:
    """`path` as it came, and all that a service may read in it.

    One server decodes before it takes parameters off, another after that or never; `..` is
    resolved with empty segments (RFC 3986, 5.2.4) or without them (servlet containers), or not.
    """
    if not FOLDS.search(path):
        return (path,)
    return dict.fromkeys((path, *_resolved(_decoded(path))))


def mentions(path: str, name: str) -> bool:
    """Whether `name`, in lower case, is anywhere in it, however often that is encoded."""
    for _ in range(MOST_DECODED + 1):
        if name in path.lower():
            return True
        if "%" not in path:
            return False
        path = unquote(path)
    return False


def _decoded(path: str) -> Iterator[str]:
    whole = stripped = path
    for _ in range(MOST_DECODED + 1):
        whole, stripped = whole.replace("\\", "/"), stripped.replace("\\", "/")
        yield whole
        yield PARAMETERS.sub("", whole)
        stripped = PARAMETERS.sub("", stripped)
        yield stripped
        if "%" not in whole:
            return
        whole, stripped = unquote(whole), unquote(stripped)


def _resolved(paths: Iterable[str]) -> Iterator[str]:
    for path in dict.fromkeys(paths):
        yield posixpath.normpath("/" + path.lstrip("/"))
        if "//" in path:
            yield SLASHES.sub("/", _without_dots(path))


def _without_dots(path: str) -> str:
    """As RFC 3986 (5.2.4) has it: an empty segment is one that `..` goes back by."""
    left: list[str] = []
    for segment in path.split("/")[1:]:
        if segment == "..":
            del left[-1:]
        elif segment != ".":
            left.append(segment)
    return "/" + "/".join(left)

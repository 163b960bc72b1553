"""Filters that bound a request: RequestSize, RequestHeaderSize."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from gateway.routing.syntax.arguments import Arguments

UNITS = {"B": 1, "KB": 1024, "MB": 1024**2, "GB": 1024**3}


@dataclass(frozen=True, slots=True)
class RequestSize:
    limit: int


@dataclass(frozen=True, slots=True)
class RequestHeaderSize:
    """Of one header, its name and all its values counted."""

    limit: int

    def first_over(self, pairs: Iterable[tuple[str, str]]) -> str | None:
        sizes: dict[str, int] = {}
        for name, value in pairs:
            lower = name.lower()
            sizes[lower] = sizes.get(lower, len(name)) + len(value)
        return next((name for name, size in sizes.items() if size > self.limit), None)


def request_size(arguments: Arguments) -> RequestSize:
    return RequestSize(arguments.read("maxSize", size, "5MB"))


def request_header_size(arguments: Arguments) -> RequestHeaderSize:
    return RequestHeaderSize(arguments.read("maxSize", size, "16000"))


def size(text: str) -> int:
    match = re.fullmatch(r"(\d{1,12})\s*([KMG]?B)?", text.upper())
    if match is None:
        raise ValueError(f"{text!r} is not a size such as 5000000, 64KB or 5MB")
    return int(match[1]) * UNITS[match[2] or "B"]

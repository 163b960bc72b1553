"""The folder of configuration files: which of them concern an application, and in which order."""

import errno
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

from config_server import documents
from config_server.documents import Document, Unreadable, Value
from config_server.profiles import WrongExpression, accepts

SUFFIXES = (".yml", ".yaml")
ABSENT = {errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG, errno.EINVAL}


@dataclass(frozen=True, slots=True)
class Source:
    """One property source: a file, or one document of a file that has several."""

    name: str
    properties: dict[str, Value]

    def plain(self) -> dict[str, Any]:
        return {key: each.value for key, each in self.properties.items()}


@dataclass(frozen=True, slots=True)
class Kept:
    stamp: tuple[int, int, int]
    documents: list[Document]


class Repository:
    def __init__(self, location: Path) -> None:
        self.location = location.resolve()
        self._kept: dict[Path, Kept] = {}

    def find(self, application: str, profile: str) -> list[Source]:
        """The sources for `application` under the comma-separated `profile`, the winner first.

        Raises Unreadable when one of the files that count is broken.
        """
        profiles = list(dict.fromkeys(each for each in profile.split(",") if each))
        return [
            source
            for stem in _stems(application, profiles)
            for suffix in SUFFIXES
            for source in self._sources(self.location / f"{stem}{suffix}", profiles)
        ]

    def _sources(self, path: Path, profiles: list[str]) -> Iterator[Source]:
        found = self._documents(path)
        # Of one file, the later document wins.
        for number, document in reversed(list(enumerate(found))):
            if _counts(document, profiles, path):
                part = f" (document #{number})" if len(found) > 1 else ""
                yield Source(f"file:{path}{part}", document.properties)

    def _documents(self, path: Path) -> list[Document]:
        try:
            status = path.stat()
        except OSError as error:
            if error.errno not in ABSENT:
                raise Unreadable(f"{path.name}: {error.strerror}") from error
            self._kept.pop(path, None)
            return []
        stamp = (status.st_mtime_ns, status.st_size, status.st_ino)
        kept = self._kept.get(path)
        if kept is None or kept.stamp != stamp:
            kept = self._kept[path] = Kept(stamp, documents.read(path))
        return kept.documents


def _stems(application: str, profiles: list[str]) -> Iterator[str]:
    names = list(dict.fromkeys(["application", *(each for each in application.split(",") if each)]))
    yield from (f"{name}-{profile}" for profile, name in product(profiles[::-1], names[::-1]))
    yield from names[::-1]


def _counts(document: Document, profiles: list[str], path: Path) -> bool:
    expression = document.activation
    try:
        return expression is None or accepts(expression, profiles)
    except WrongExpression as error:
        raise Unreadable(f"{path.name}: {error}") from error

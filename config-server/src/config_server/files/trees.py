"""Trees of files: which of them concern a question, in which order, and what is in them."""

import logging
import threading
from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path, PurePosixPath
from typing import Protocol

from config_server.files import documents
from config_server.files.documents import Document
from config_server.files.profiles import accepts
from config_server.model import Question, Source, Unreadable

log = logging.getLogger(__name__)

SUFFIXES = (".properties", ".yml", ".yaml")  # the strongest first
MAX_KEPT = 2_000


class Tree(Protocol):
    """The files of one label."""

    @property
    def name(self) -> str:
        """The same for later states of the same label."""

    def stamp(self, path: str) -> Hashable | None:
        """Changes when the file does; None when there is no such file."""

    def content(self, path: str) -> bytes:
        """At most a byte more than may be; raises Unreadable."""

    def uri(self, path: str) -> str: ...


@dataclass(frozen=True, slots=True)
class Kept:
    stamp: Hashable
    documents: list[Document] | None  # None: broken, and was never seen whole
    problem: str | None = None


class Copies:
    """The last good version of each file, for a server that starts while one is broken."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def keep(self, path: str, content: bytes) -> None:
        copy = self._folder / path
        draft = copy.with_name(f".{copy.name}.new")
        try:
            copy.parent.mkdir(parents=True, exist_ok=True)
            draft.touch(mode=0o600)  # configuration may hold secrets
            draft.write_bytes(content)
            draft.replace(copy)
        except OSError as error:
            log.warning("no copy of %s is kept: %s", path, error)

    def read(self, path: str) -> bytes | None:
        copy = self._folder / path
        return copy.read_bytes() if copy.is_file() else None

    def forget(self, path: str) -> None:
        (self._folder / path).unlink(missing_ok=True)


class Shelf:
    """Files as documents, parsed once; of one that broke, the last good version."""

    def __init__(self, copies: Copies | None = None) -> None:
        self._copies = copies
        self._kept: dict[tuple[str, str], Kept] = {}
        self._lock = threading.Lock()

    def documents(self, tree: Tree, path: str) -> list[Document]:
        """Raises Unreadable when the file is broken and was never seen whole."""
        kept = self._of(tree, path)
        if kept is None:
            return []
        if kept.documents is None:
            raise Unreadable(kept.problem)
        return kept.documents

    def problem(self, tree: Tree, path: str) -> str | None:
        kept = self._of(tree, path)
        return kept.problem if kept else None

    def _of(self, tree: Tree, path: str) -> Kept | None:
        key = (tree.name, path)
        stamp, kept = tree.stamp(path), self._kept.get(key)
        if stamp is None:
            if kept is not None:
                self._forget(key)
            return None
        if kept is None or kept.stamp != stamp:
            kept = self._read(tree, path, stamp, kept)
            self._put(key, kept)
        return kept

    def _read(self, tree: Tree, path: str, stamp: Hashable, before: Kept | None) -> Kept:
        try:
            content = tree.content(path)
            found = documents.parse(content, path)
        except Unreadable as error:
            log.error("%s", error)
            good = before.documents if before else self._copy(path)
            return Kept(stamp, good, str(error))
        if self._copies:
            self._copies.keep(path, content)
        return Kept(stamp, found)

    def _copy(self, path: str) -> list[Document] | None:
        content = self._copies.read(path) if self._copies else None
        if content is None:
            return None
        try:
            return documents.parse(content, path)
        except Unreadable:
            return None  # another version of this server may have kept it

    def _put(self, key: tuple[str, str], kept: Kept) -> None:
        with self._lock:
            self._kept[key] = kept
            if len(self._kept) > MAX_KEPT:
                del self._kept[next(iter(self._kept))]

    def _forget(self, key: tuple[str, str]) -> None:
        with self._lock:
            self._kept.pop(key, None)
        if self._copies:
            self._copies.forget(key[1])


def sources(tree: Tree, shelf: Shelf, question: Question, folders: list[str]) -> list[Source]:
    """The winner first; of `folders` the last counts most.  Raises Unreadable."""
    return [
        source
        for stem in _stems(question)
        for folder in reversed(folders)
        for suffix in SUFFIXES
        for source in _of_file(tree, shelf, f"{folder}{stem}{suffix}", question.profiles)
    ]


def _stems(question: Question) -> Iterator[str]:
    names = question.applications
    for profile, name in product(question.profiles[::-1], names):
        yield f"{name}-{profile}"
    yield from names


def _of_file(tree: Tree, shelf: Shelf, path: str, profiles: list[str]) -> Iterator[Source]:
    found = shelf.documents(tree, path)
    # Of one file, the later document wins.
    for number, document in reversed(list(enumerate(found))):
        if document.activation is None or accepts(document.activation, profiles):
            part = f" (document #{number})" if len(found) > 1 else ""
            yield Source(f"{tree.uri(path)}{part}", document.properties)


def plain_file(tree: Tree, question: Question, path: str, folders: list[str]) -> bytes | None:
    """`path` as it is; `logback-dev.xml` wins over `logback.xml`.  None when there is none.

    Raises Unreadable when it is too long.
    """
    for folder in reversed(folders):
        for name in _names_under(path, question.profiles):
            if tree.stamp(f"{folder}{name}") is not None:
                content = _plain_content(tree, f"{folder}{name}")
                if content is not None:
                    return content
    return None


def _plain_content(tree: Tree, path: str) -> bytes | None:
    try:
        content = tree.content(path)
    except Unreadable as error:
        log.warning("plain file: %s", error)
        return None
    if len(content) > documents.MAX_BYTES:
        raise Unreadable(f"{path}: longer than {documents.MAX_BYTES} bytes")
    return content


def _names_under(path: str, profiles: list[str]) -> Iterator[str]:
    file = PurePosixPath(path)
    for profile in profiles:
        if profile != "default":
            yield str(file.with_name(f"{file.stem}-{profile}{file.suffix}"))
    yield path

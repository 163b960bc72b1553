"""Trees of files, and what they contain."""

import logging
import threading
from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Protocol

from config_server.files import documents
from config_server.files.documents import ConfigDocument
from config_server.files.imports import Import
from config_server.model import ConfigQuery, UnreadableFile

log = logging.getLogger(__name__)

SUFFIXES = (".properties", ".yml", ".yaml")  # highest precedence first
MAX_CACHED = 2_000


class FileTree(Protocol):
    """The files of one label."""

    @property
    def name(self) -> str:
        """The same for later states of the same label."""

    def stamp(self, path: str) -> Hashable | None:
        """Changes when the file does; None when there is no such file."""

    def content(self, path: str) -> bytes:
        """At most one byte above the limit; raises UnreadableFile."""

    def uri(self, path: str) -> str: ...


@dataclass(frozen=True, slots=True)
class CachedFile:
    stamp: Hashable
    documents: list[ConfigDocument] | None  # None: broken, and no good version is known
    problem: str | None = None


class LastGoodCopies:
    """The last good version of each file, for a server that starts while a file is broken."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def save(self, path: str, content: bytes) -> None:
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

    def remove(self, path: str) -> None:
        (self._folder / path).unlink(missing_ok=True)


class DocumentCache:
    """Parses each file once; of a file that broke, keeps the last good version."""

    def __init__(self, copies: LastGoodCopies | None = None) -> None:
        self._copies = copies
        self._files: dict[tuple[str, str], CachedFile] = {}
        self._imported: set[str] = set()
        self._missing: set[tuple[str, str]] = set()
        self._lock = threading.Lock()

    def documents(self, tree: FileTree, path: str) -> list[ConfigDocument]:
        """Raises UnreadableFile when the file is broken and no good version is known."""
        cached = self._cached(tree, path)
        if cached is None:
            return []
        if cached.documents is None:
            raise UnreadableFile(cached.problem)
        return cached.documents

    def problem(self, tree: FileTree, path: str) -> str | None:
        cached = self._cached(tree, path)
        return cached.problem if cached else None

    @property
    def imported(self) -> frozenset[str]:
        """The files, and folders, that others have imported so far."""
        return frozenset(self._imported)

    def note_import(self, importer: str, imported: Import, exists: bool) -> None:
        """Remember it; a missing file is no error, as in Spring's server, but worth a word."""
        with self._lock:
            if len(self._imported) < MAX_CACHED:
                self._imported.add(imported.path)
            missing = (importer, imported.path)
            if exists or imported.optional:
                self._missing.discard(missing)
            elif missing not in self._missing and len(self._missing) < MAX_CACHED:
                self._missing.add(missing)
                log.warning("%s imports %s, which does not exist", importer, imported.path)

    def _cached(self, tree: FileTree, path: str) -> CachedFile | None:
        key = (tree.name, path)
        stamp, cached = tree.stamp(path), self._files.get(key)
        if stamp is None:
            if cached is not None:
                self._forget(key)
            return None
        if cached is None or cached.stamp != stamp:
            cached = self._read(tree, path, stamp, cached)
            self._put(key, cached)
        return cached

    def _read(
        self, tree: FileTree, path: str, stamp: Hashable, before: CachedFile | None
    ) -> CachedFile:
        try:
            content = tree.content(path)
            parsed = documents.parse(content, path)
        except UnreadableFile as error:
            log.error("%s", error)
            good = before.documents if before else self._last_good(path)
            return CachedFile(stamp, good, str(error))
        if self._copies:
            self._copies.save(path, content)
        return CachedFile(stamp, parsed)

    def _last_good(self, path: str) -> list[ConfigDocument] | None:
        content = self._copies.read(path) if self._copies else None
        if content is None:
            return None
        try:
            return documents.parse(content, path)
        except UnreadableFile:
            return None  # another version of this server may have kept it

    def _put(self, key: tuple[str, str], cached: CachedFile) -> None:
        with self._lock:
            self._files[key] = cached
            if len(self._files) > MAX_CACHED:
                del self._files[next(iter(self._files))]

    def _forget(self, key: tuple[str, str]) -> None:
        with self._lock:
            self._files.pop(key, None)
        if self._copies:
            self._copies.remove(key[1])


def plain_file(tree: FileTree, query: ConfigQuery, path: str, folders: list[str]) -> bytes | None:
    """`path` as it is; `logback-dev.xml` wins over `logback.xml`.  None when there is none.

    Raises UnreadableFile when it is too long.
    """
    for folder in reversed(folders):
        for name in _names_under(path, query.profiles):
            if tree.stamp(f"{folder}{name}") is not None:
                content = _plain_content(tree, f"{folder}{name}")
                if content is not None:
                    return content
    return None


def _plain_content(tree: FileTree, path: str) -> bytes | None:
    try:
        content = tree.content(path)
    except UnreadableFile as error:
        log.warning("plain file: %s", error)
        return None
    if len(content) > documents.MAX_BYTES:
        raise UnreadableFile(f"{path}: longer than {documents.MAX_BYTES} bytes")
    return content


def _names_under(path: str, profiles: list[str]) -> Iterator[str]:
    file = PurePosixPath(path)
    for profile in profiles:
        if profile != "default":
            yield str(file.with_name(f"{file.stem}-{profile}{file.suffix}"))
    yield path

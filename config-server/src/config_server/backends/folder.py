"""A folder of configuration files, read again when a file changes."""

import errno
import os
from collections.abc import Hashable, Iterator
from contextlib import suppress
from itertools import islice
from pathlib import Path

from config_server.files import config_data, trees
from config_server.files.documents import MAX_BYTES
from config_server.files.trees import SUFFIXES, DocumentCache, LastGoodCopies
from config_server.model import (
    BackendUnavailable,
    ConfigQuery,
    ConfigResult,
    Stamps,
    UnreadableFile,
)

ABSENT = {errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG, errno.EINVAL}
MAX_WATCHED, MAX_WATCHED_DEPTH = 2_000, 4


class Folder:
    """The files as they are now."""

    name = ""

    def __init__(self, location: Path) -> None:
        self.location = location.resolve()

    def stamp(self, path: str) -> Hashable | None:
        try:
            status = (self.location / path).stat()
        except OSError as error:
            # It exists all the same: reading it will raise the reason.
            return None if error.errno in ABSENT else error.errno
        return (status.st_mtime_ns, status.st_size, status.st_ino)

    def content(self, path: str) -> bytes:
        file = self.location / path
        try:
            if not file.resolve().is_relative_to(self.location):
                raise UnreadableFile(f"{path}: leads out of the folder")
            if not file.is_file():  # of a pipe, nothing may ever come
                raise UnreadableFile(f"{path}: no regular file")
            with file.open("rb") as opened:
                return opened.read(MAX_BYTES + 1)
        except (OSError, RuntimeError) as error:
            raise UnreadableFile(f"{path}: {getattr(error, 'strerror', None) or error}") from error

    def uri(self, path: str) -> str:
        return f"file:{self.location / path}"


class FolderBackend:
    """Folders in it that are called as a label take precedence under that label."""

    def __init__(self, location: Path, copies: LastGoodCopies | None = None) -> None:
        self._folder = Folder(location)
        self._cache = DocumentCache(copies)

    @property
    def location(self) -> str:
        return str(self._folder.location)

    def find(self, query: ConfigQuery) -> ConfigResult:
        # Else a folder that is unmounted for a while would look like one without settings.
        if not self._folder.location.is_dir():
            raise BackendUnavailable(f"the folder {self.location} is gone")
        folders = ["", *_label_folders(query)]
        return ConfigResult(config_data.sources(self._folder, self._cache, query, folders))

    def file(self, query: ConfigQuery, path: str) -> bytes | None:
        # Here the files beside those folders take precedence, as in Spring's server.
        return trees.plain_file(self._folder, query, path, [*_label_folders(query), ""])

    def stamps(self) -> Stamps:
        try:
            names = list(islice(_watched(self._folder.location), MAX_WATCHED))
        except OSError as error:
            raise BackendUnavailable(f"the folder {self.location}: {error.strerror}") from error
        stamps = {name: self._folder.stamp(name) for name in names}
        return {name: stamp for name, stamp in stamps.items() if stamp is not None}

    def imported(self) -> frozenset[str]:
        return self._cache.imported

    def problems(self) -> dict[str, str]:
        problems = {path: self._cache.problem(self._folder, path) for path in self.stamps()}
        return {path: problem for path, problem in problems.items() if problem}

    def refresh(self, force: bool = False) -> None:
        """Nothing to do: the folder itself is read."""


def _label_folders(query: ConfigQuery) -> list[str]:
    return [f"{label.strip('/')}/" for label in query.labels if label.strip("/")]


def _watched(location: Path, folder: str = "", depth: int = 0) -> Iterator[str]:
    """The files that may be configuration, those of folders for labels and imports included."""
    folders = []
    with os.scandir(location / folder) as entries:
        for entry in entries:
            if entry.name.endswith(SUFFIXES):
                yield f"{folder}{entry.name}"
            elif not entry.name.startswith(".") and entry.is_dir(follow_symlinks=False):
                folders.append(f"{folder}{entry.name}/")
    if depth < MAX_WATCHED_DEPTH:
        for inner in folders:
            with suppress(OSError):  # it may have gone meanwhile, or not be ours to read
                yield from _watched(location, inner, depth + 1)

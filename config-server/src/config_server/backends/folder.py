"""A folder of configuration files, read anew when a file changes."""

import errno
from collections.abc import Hashable
from pathlib import Path

from config_server.files import trees
from config_server.files.documents import MAX_BYTES
from config_server.files.trees import SUFFIXES, Copies, Shelf
from config_server.model import Away, Found, Question, Stamps, Unreadable

ABSENT = {errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG, errno.EINVAL}
HERE = [""]


class Folder:
    """The files as they are now, whatever the label."""

    name = ""

    def __init__(self, location: Path) -> None:
        self.location = location.resolve()

    def stamp(self, path: str) -> Hashable | None:
        try:
            status = (self.location / path).stat()
        except OSError as error:
            # What cannot be looked at is there all the same: to read it tells why not.
            return None if error.errno in ABSENT else error.errno
        return (status.st_mtime_ns, status.st_size, status.st_ino)

    def content(self, path: str) -> bytes:
        file = self.location / path
        try:
            if not file.resolve().is_relative_to(self.location):
                raise Unreadable(f"{path}: leads out of the folder")
            if not file.is_file():  # of a pipe, nothing may ever come
                raise Unreadable(f"{path}: no regular file")
            with file.open("rb") as opened:
                return opened.read(MAX_BYTES + 1)
        except (OSError, RuntimeError) as error:
            raise Unreadable(f"{path}: {getattr(error, 'strerror', None) or error}") from error

    def uri(self, path: str) -> str:
        return f"file:{self.location / path}"


class FolderBackend:
    def __init__(self, location: Path, copies: Copies | None = None) -> None:
        self._folder = Folder(location)
        self._shelf = Shelf(copies)

    @property
    def location(self) -> str:
        return str(self._folder.location)

    def find(self, question: Question) -> Found:
        # Else a folder that is unmounted for a while would look like one without any settings.
        if not self._folder.location.is_dir():
            raise Away(f"the folder {self.location} is gone")
        return Found(trees.sources(self._folder, self._shelf, question, HERE))

    def file(self, question: Question, path: str) -> bytes | None:
        return trees.plain_file(self._folder, question, path, HERE)

    def stamps(self) -> Stamps:
        try:
            names = [each.name for each in self._folder.location.iterdir()]
        except OSError as error:
            raise Away(f"the folder {self.location}: {error.strerror}") from error
        found = {name: self._folder.stamp(name) for name in names if name.endswith(SUFFIXES)}
        return {name: stamp for name, stamp in found.items() if stamp is not None}

    def problems(self) -> dict[str, str]:
        found = {path: self._shelf.problem(self._folder, path) for path in self.stamps()}
        return {path: problem for path, problem in found.items() if problem}

    def renew(self, at_once: bool = False) -> None:
        """Nothing to do: the folder itself is looked at."""

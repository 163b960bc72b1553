"""A git repository: a label is a branch, a tag or a commit, and the version the commit."""

import re
import threading
import zlib
from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from stat import S_ISREG

from dulwich.errors import ChecksumMismatch, FileFormatException, NotGitRepository
from dulwich.object_store import iter_tree_contents
from dulwich.objects import Blob, Commit, ObjectID, ShaFile, Tag
from dulwich.refs import Ref, check_ref_format
from dulwich.repo import Repo

from config_server.backends.mirror import RepositoryMirror
from config_server.files import config_data, trees
from config_server.files.documents import MAX_BYTES
from config_server.files.trees import SUFFIXES, DocumentCache
from config_server.model import (
    BackendUnavailable,
    ConfigQuery,
    ConfigResult,
    PropertySource,
    Stamps,
    UnknownLabel,
)

ABBREVIATED = re.compile(r"[0-9a-f]{7,40}")
# Absent, half written, or lacking an object that it refers to.
REPOSITORY_ERRORS = (
    ChecksumMismatch,
    FileFormatException,
    KeyError,
    NotGitRepository,
    OSError,
    zlib.error,
)
MAX_FILES = 10_000
NO_LABEL: list[str | None] = [None]
MAX_COMMITS = 50


@dataclass(frozen=True, slots=True)
class CommitFiles:
    """The files of one commit, by their paths."""

    commit: str
    blobs: dict[str, bytes]


class GitBackend:
    def __init__(
        self,
        repository: Path,
        uri: str,
        default_labels: list[str],
        search_paths: list[str],
        mirror: RepositoryMirror | None = None,
        refresh_rate: float = 10,
    ) -> None:
        """The first of `default_labels` that exists is served to queries without a label."""
        self._repository = repository
        self._uri = uri.rstrip("/")
        self._default_labels = default_labels
        self._search_paths = ["", *search_paths]
        self._mirror = mirror
        self._refresh_rate = refresh_rate
        self._cache = DocumentCache()
        self._commits: dict[str, CommitFiles] = {}
        # dulwich's pack files have one position for all who read them.
        self._lock = threading.Lock()

    @property
    def location(self) -> str:
        return self._uri

    def find(self, query: ConfigQuery) -> ConfigResult:
        """Of several labels, the last one takes precedence, as in Spring's server."""
        sources: list[PropertySource] = []
        commits: list[str] = []
        for label in query.labels or NO_LABEL:
            tree = self._tree(label)
            folders = self._folders(query, label)
            sources += config_data.sources(tree, self._cache, query, folders)
            commits.insert(0, tree.files.commit)
        return ConfigResult(sources, ",".join(commits))

    def file(self, query: ConfigQuery, path: str) -> bytes | None:
        for label in query.labels or NO_LABEL:
            tree = self._tree(label)
            content = trees.plain_file(tree, query, path, self._folders(query, label))
            if content is not None:
                return content
        return None

    def stamps(self) -> Stamps:
        """Of the default label only: clients of other labels poll."""
        blobs = self._tree(None).files.blobs
        return {path: blob for path, blob in blobs.items() if path.endswith(SUFFIXES)}

    def imported(self) -> frozenset[str]:
        return self._cache.imported

    def problems(self) -> dict[str, str]:
        tree = self._tree(None)
        problems: dict[str, str | None] = {
            path: self._cache.problem(tree, path) for path in self.stamps()
        }
        if self._mirror:
            problems[self.location] = self._mirror.problem
        return {path: problem for path, problem in problems.items() if problem}

    def refresh(self, force: bool = False) -> None:
        if self._mirror:
            self._mirror.refresh(0 if force else self._refresh_rate)

    def content(self, blob_id: bytes) -> bytes:
        with self._opened() as repo:
            blob = repo[ObjectID(blob_id)]
        return blob.data if isinstance(blob, Blob) else b""

    def _folders(self, query: ConfigQuery, label: str | None) -> list[str]:
        values = {
            "{application}": query.application,
            "{profile}": query.profile,
            "{label}": label or "",
        }
        folders = []
        for path in self._search_paths:
            for placeholder, value in values.items():
                path = path.replace(placeholder, value)
            folders.append(f"{path.strip('/')}/" if path.strip("/") else "")
        return folders

    def _tree(self, label: str | None) -> "CommitTree":
        labels = [label] if label else self._default_labels
        with self._opened() as repo:
            commits = (_commit(repo, name) for name in labels)
            commit = next((commit for commit in commits if commit), None)
            if commit is None:
                raise UnknownLabel(f"{self.location} has no {' and no '.join(labels)}")
            return CommitTree(self, label or "", self._files(repo, commit))

    def _files(self, repo: Repo, commit: Commit) -> CommitFiles:
        name = commit.id.decode()
        if name not in self._commits:
            self._commits[name] = CommitFiles(name, _blobs(repo, commit))
            if len(self._commits) > MAX_COMMITS:
                del self._commits[next(iter(self._commits))]
        return self._commits[name]

    @contextmanager
    def _opened(self) -> Iterator[Repo]:
        # Opened anew each time, as dulwich remembers packed references for as long as it lives.
        with self._lock:
            try:
                with Repo(str(self._repository)) as repo:
                    yield repo
            except REPOSITORY_ERRORS as error:
                reason = f"{type(error).__name__}: {error}"
                raise BackendUnavailable(
                    f"{self.location}: the git repository cannot be read: {reason}"
                ) from error


@dataclass(frozen=True, slots=True)
class CommitTree:
    backend: GitBackend
    name: str
    files: CommitFiles

    def stamp(self, path: str) -> Hashable | None:
        return self.files.blobs.get(path)

    def content(self, path: str) -> bytes:
        return self.backend.content(self.files.blobs[path])[: MAX_BYTES + 1]

    def uri(self, path: str) -> str:
        return f"{self.backend.location}/{path}"


def _commit(repo: Repo, label: str) -> Commit | None:
    for kind in ("heads", "tags"):
        name = Ref(f"refs/{kind}/{label}".encode())
        if check_ref_format(name) and name in repo.refs:
            return _peeled(repo, repo[repo.refs[name]])
    if not ABBREVIATED.fullmatch(label):
        return None
    matching = [repo[object_id] for object_id in repo.object_store.iter_prefix(label.encode())]
    commits = [object_ for object_ in matching if isinstance(object_, Commit)]
    return commits[0] if len(commits) == 1 else None


def _peeled(repo: Repo, object_: ShaFile) -> Commit | None:
    while isinstance(object_, Tag):
        object_ = repo[object_.object[1]]
    return object_ if isinstance(object_, Commit) else None


def _blobs(repo: Repo, commit: Commit) -> dict[str, bytes]:
    blobs: dict[str, bytes] = {}
    for entry in iter_tree_contents(repo.object_store, commit.tree):
        # Neither symbolic links nor submodules: what they name lies elsewhere.
        if entry.path and entry.sha and entry.mode and S_ISREG(entry.mode):
            blobs[entry.path.decode(errors="replace")] = entry.sha
        if len(blobs) > MAX_FILES:
            raise BackendUnavailable(f"commit {commit.id.decode()} has more than {MAX_FILES} files")
    return blobs

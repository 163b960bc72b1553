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

from config_server.backends.mirror import Mirror
from config_server.files import trees
from config_server.files.documents import MAX_BYTES
from config_server.files.trees import SUFFIXES, Shelf
from config_server.model import Away, Found, Question, Stamps, UnknownLabel

ABBREVIATED = re.compile(r"[0-9a-f]{7,40}")
# Not there, half written, or without an object that it names.
DAMAGES = (
    ChecksumMismatch,
    FileFormatException,
    KeyError,
    NotGitRepository,
    OSError,
    zlib.error,
)
MAX_FILES = 10_000
MAX_COMMITS = 50


@dataclass(frozen=True, slots=True)
class State:
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
        mirror: Mirror | None = None,
        refresh_rate: float = 10,
    ) -> None:
        """Of `default_labels` the first that exists is served to who asks for none."""
        self._repository = repository
        self._uri = uri.rstrip("/")
        self._default_labels = default_labels
        self._search_paths = ["", *search_paths]
        self._mirror = mirror
        self._refresh_rate = refresh_rate
        self._shelf = Shelf()
        self._states: dict[str, State] = {}
        # dulwich's pack files have one position for all who read them.
        self._lock = threading.Lock()

    @property
    def location(self) -> str:
        return self._uri

    def find(self, question: Question) -> Found:
        tree = self._tree(question.label)
        folders = self._folders(question)
        return Found(trees.sources(tree, self._shelf, question, folders), tree.state.commit)

    def file(self, question: Question, path: str) -> bytes | None:
        tree = self._tree(question.label)
        return trees.plain_file(tree, question, path, self._folders(question))

    def stamps(self) -> Stamps:
        """Of the default label alone: who asks for another one asks again by itself."""
        blobs = self._tree(None).state.blobs
        return {path: blob for path, blob in blobs.items() if path.endswith(SUFFIXES)}

    def problems(self) -> dict[str, str]:
        tree = self._tree(None)
        found = {path: self._shelf.problem(tree, path) for path in self.stamps()}
        if self._mirror:
            found[self.location] = self._mirror.problem
        return {path: problem for path, problem in found.items() if problem}

    def renew(self, at_once: bool = False) -> None:
        if self._mirror:
            self._mirror.renew(0 if at_once else self._refresh_rate)

    def content(self, blob: bytes) -> bytes:
        with self._opened() as repo:
            found = repo[ObjectID(blob)]
        return found.data if isinstance(found, Blob) else b""

    def _folders(self, question: Question) -> list[str]:
        values = {
            "{application}": question.application,
            "{profile}": question.profile,
            "{label}": question.label or "",
        }
        folders = []
        for path in self._search_paths:
            for placeholder, value in values.items():
                path = path.replace(placeholder, value)
            folders.append(f"{path.strip('/')}/" if path.strip("/") else "")
        return folders

    def _tree(self, label: str | None) -> "CommitTree":
        wanted = [label] if label else self._default_labels
        with self._opened() as repo:
            commits = (_commit(repo, each) for each in wanted)
            commit = next((each for each in commits if each), None)
            if commit is None:
                raise UnknownLabel(f"{self.location} has no {' and no '.join(wanted)}")
            return CommitTree(self, label or "", self._state(repo, commit))

    def _state(self, repo: Repo, commit: Commit) -> State:
        name = commit.id.decode()
        if name not in self._states:
            self._states[name] = State(name, _blobs(repo, commit))
            if len(self._states) > MAX_COMMITS:
                del self._states[next(iter(self._states))]
        return self._states[name]

    @contextmanager
    def _opened(self) -> Iterator[Repo]:
        # Opened anew each time, as dulwich remembers packed references for as long as it lives.
        with self._lock:
            try:
                with Repo(str(self._repository)) as repo:
                    yield repo
            except DAMAGES as error:
                reason = f"{type(error).__name__}: {error}"
                raise Away(f"{self.location}: no git repository to be read: {reason}") from error


@dataclass(frozen=True, slots=True)
class CommitTree:
    backend: GitBackend
    name: str
    state: State

    def stamp(self, path: str) -> Hashable | None:
        return self.state.blobs.get(path)

    def content(self, path: str) -> bytes:
        return self.backend.content(self.state.blobs[path])[: MAX_BYTES + 1]

    def uri(self, path: str) -> str:
        return f"{self.backend.location}/{path}"


def _commit(repo: Repo, label: str) -> Commit | None:
    for kind in ("heads", "tags"):
        name = Ref(f"refs/{kind}/{label}".encode())
        if check_ref_format(name) and name in repo.refs:
            return _peeled(repo, repo[repo.refs[name]])
    if not ABBREVIATED.fullmatch(label):
        return None
    matching = [repo[each] for each in repo.object_store.iter_prefix(label.encode())]
    commits = [each for each in matching if isinstance(each, Commit)]
    return commits[0] if len(commits) == 1 else None


def _peeled(repo: Repo, found: ShaFile) -> Commit | None:
    while isinstance(found, Tag):
        found = repo[found.object[1]]
    return found if isinstance(found, Commit) else None


def _blobs(repo: Repo, commit: Commit) -> dict[str, bytes]:
    blobs: dict[str, bytes] = {}
    for entry in iter_tree_contents(repo.object_store, commit.tree):
        # Neither symbolic links nor submodules: what they name lies elsewhere.
        if entry.path and entry.sha and entry.mode and S_ISREG(entry.mode):
            blobs[entry.path.decode(errors="replace")] = entry.sha
        if len(blobs) > MAX_FILES:
            raise Away(f"commit {commit.id.decode()} has more than {MAX_FILES} files")
    return blobs

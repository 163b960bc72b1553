"""A local mirror of a remote repository, as `git clone --mirror` makes one."""

import threading
import time
from pathlib import Path

from dulwich.client import HTTPProxyUnauthorized, HTTPUnauthorized, get_transport_and_path
from dulwich.config import ConfigFile, StackedConfig
from dulwich.errors import GitProtocolError, NotGitRepository
from dulwich.objects import ObjectID
from dulwich.refs import Ref, check_ref_format
from dulwich.repo import Repo
from urllib3.exceptions import HTTPError

from config_server.model import BackendUnavailable

FAILURES = (
    GitProtocolError,
    HTTPError,
    HTTPProxyUnauthorized,
    HTTPUnauthorized,
    NotGitRepository,
    OSError,
)
MIRRORED_REFS = (b"refs/heads/", b"refs/tags/")


class RepositoryMirror:
    def __init__(
        self,
        uri: str,
        folder: Path,
        username: str | None = None,
        password: str | None = None,
        timeout_seconds: float = 5,
    ) -> None:
        self.folder = folder
        self._uri = uri
        self._username = username
        self._password = password
        self._timeout = timeout_seconds
        self._fetched_at = float("-inf")
        self.problem: str | None = None
        self._lock = threading.Lock()

    def refresh(self, min_interval: float = 0) -> None:
        """Fetch, unless that was tried within `min_interval` seconds; raises BackendUnavailable."""
        with self._lock:
            if time.monotonic() < self._fetched_at + min_interval:
                return
            self._fetched_at = time.monotonic()
            try:
                self._fetch()
            except FAILURES as error:
                self.problem = f"git fetch: {type(error).__name__}: {error}"
                raise BackendUnavailable(self.problem) from error
            self.problem = None

    def _fetch(self) -> None:
        client, path = get_transport_and_path(
            self._uri,
            username=self._username,
            password=self._password,
            ssh_command=f"ssh -o BatchMode=yes -o ConnectTimeout={self._timeout:.0f}",
            config=self._config(),
        )
        with self._opened() as repo:
            # An empty repository answers with nothing at all.
            refs = client.fetch(path, repo).refs
            _set_refs(repo, {name: sha for name, sha in refs.items() if sha and _is_mirrored(name)})

    def _config(self) -> StackedConfig:
        """The configuration of git on this machine (proxies, certificates), and a timeout."""
        own = ConfigFile()
        own.set((b"http",), b"timeout", str(self._timeout).encode())
        return StackedConfig([own, *StackedConfig.default_backends()])

    def _opened(self) -> Repo:
        if (self.folder / "HEAD").is_file():
            return Repo(str(self.folder))
        self.folder.mkdir(parents=True, exist_ok=True)
        return Repo.init_bare(str(self.folder))


def _is_mirrored(name: bytes) -> bool:
    return (
        name.startswith(MIRRORED_REFS) and not name.endswith(b"^{}") and check_ref_format(Ref(name))
    )


def _set_refs(repo: Repo, refs: dict[Ref, ObjectID]) -> None:
    for name in set(repo.refs.as_dict()) - set(refs) - {b"HEAD"}:
        repo.refs.remove_if_equals(name, None)
    for name, sha in refs.items():
        repo.refs[name] = sha

"""A bare copy of a repository that lies elsewhere."""

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

from config_server.model import Away

FAILURES = (
    GitProtocolError,
    HTTPError,
    HTTPProxyUnauthorized,
    HTTPUnauthorized,
    NotGitRepository,
    OSError,
)
KEPT = (b"refs/heads/", b"refs/tags/")


class Mirror:
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
        self._renewed = float("-inf")
        self.problem: str | None = None
        self._lock = threading.Lock()

    def renew(self, patience: float = 0) -> None:
        """Fetch, unless that was tried `patience` seconds ago; raises Away."""
        with self._lock:
            if time.monotonic() < self._renewed + patience:
                return
            self._renewed = time.monotonic()
            try:
                self._fetch()
            except FAILURES as error:
                self.problem = f"git fetch: {type(error).__name__}: {error}"
                raise Away(self.problem) from error
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
            told = client.fetch(path, repo).refs
            _point(repo, {name: sha for name, sha in told.items() if sha and _counts(name)})

    def _config(self) -> StackedConfig:
        """What git is told on this machine (proxies, certificates), and a time-out."""
        own = ConfigFile()
        own.set((b"http",), b"timeout", str(self._timeout).encode())
        return StackedConfig([own, *StackedConfig.default_backends()])

    def _opened(self) -> Repo:
        if (self.folder / "HEAD").is_file():
            return Repo(str(self.folder))
        self.folder.mkdir(parents=True, exist_ok=True)
        return Repo.init_bare(str(self.folder))


def _counts(name: bytes) -> bool:
    return name.startswith(KEPT) and not name.endswith(b"^{}") and check_ref_format(Ref(name))


def _point(repo: Repo, told: dict[Ref, ObjectID]) -> None:
    for name in set(repo.refs.as_dict()) - set(told) - {b"HEAD"}:
        repo.refs.remove_if_equals(name, None)
    for name, sha in told.items():
        repo.refs[name] = sha

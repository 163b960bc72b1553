"""A real git repository: labels, versions, changes, and one that lies elsewhere."""

import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

import pytest
from dulwich.repo import Repo
from dulwich.server import BackendRepo, DictBackend
from dulwich.web import make_wsgi_chain

from config_server.backends.git import GitBackend
from config_server.backends.mirror import RepositoryMirror
from config_server.model import BackendUnavailable, ConfigQuery, UnknownLabel, UnreadableFile

from .conftest import served

LABELS = ["main", "master"]


@dataclass
class Repository:
    path: Path

    def git(self, *arguments: str) -> str:
        command = ["git", "-C", str(self.path), *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    def commit(self, **files: str) -> str:
        """The files by name without `.yml`; the new commit's id."""
        for name, text in files.items():
            (self.path / f"{name}.yml").write_text(text)
        self.git("add", ".")
        self.git("commit", "--quiet", "--allow-empty", "-m", "x")
        return self.git("rev-parse", "HEAD")

    def backend(self, *search_paths: str) -> GitBackend:
        return GitBackend(self.path, f"file://{self.path}", LABELS, list(search_paths))


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Repository:
    for role in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{role}_NAME", "x")
        monkeypatch.setenv(f"GIT_{role}_EMAIL", "x@example.org")
    repository = Repository(tmp_path / "repository")
    repository.path.mkdir()
    repository.git("init", "--quiet", "--initial-branch=main")
    return repository


def value(backend: GitBackend, label: str | None = None, application: str = "probe") -> object:
    result = backend.find(ConfigQuery(application, "dev", label))
    return result.version, [source.plain().get("a") for source in result.sources]


def test_a_label_is_a_branch_a_tag_or_a_commit_and_the_version_is_the_commit(
    repository: Repository,
) -> None:
    first = repository.commit(probe="a: 1\n")
    repository.git("tag", "light")
    repository.git("tag", "-a", "v1", "-m", "one")
    second = repository.commit(probe="a: 2\n")
    repository.git("switch", "--quiet", "-c", "feature/x")
    third = repository.commit(probe="a: 3\n")
    backend = repository.backend()

    for label in ("v1", "light", first, first[:7]):
        assert value(backend, label) == (first, [1])
    assert value(backend) == value(backend, "main") == (second, [2])
    assert value(backend, "feature/x") == (third, [3])


def test_packed_references_and_objects_of_a_repository_are_read(repository: Repository) -> None:
    backend = repository.backend()
    for number in range(3):
        commit = repository.commit(probe=f"a: {number}\n")
        assert value(backend) == (commit, [number])
        repository.git("gc", "--quiet")
        assert value(backend) == (commit, [number])


def test_without_main_master_is_the_default(repository: Repository) -> None:
    commit = repository.commit(probe="a: 1\n")
    repository.git("branch", "--move", "master")

    assert value(repository.backend()) == (commit, [1])


@pytest.mark.parametrize("label", ["no", "-x", "a b", "x.lock", "@{0}", "*", "HEAD", "deadbeef"])
def test_a_label_that_does_not_exist_is_unknown(repository: Repository, label: str) -> None:
    repository.commit(probe="a: 1\n")

    with pytest.raises(UnknownLabel):
        value(repository.backend(), label)


def test_uncommitted_files_are_not_served(repository: Repository) -> None:
    repository.commit(probe="a: 1\n")
    (repository.path / "probe.yml").write_text("a: 2\n")

    assert value(repository.backend())[1] == [1]  # type: ignore[index]


def test_search_paths_come_before_the_root(repository: Repository) -> None:
    (repository.path / "probe").mkdir()
    repository.commit(**{"probe": "a: 1\n", "probe/probe": "a: 2\n", "probe/application": "a: 3\n"})
    (repository.path / "probe" / "x.txt").write_text("${a}")
    repository.commit()
    backend = repository.backend("{application}")

    assert value(backend)[1] == [2, 3, 1]  # type: ignore[index]
    assert backend.file(ConfigQuery("probe", "dev"), "x.txt") == b"${a}"


def test_a_commit_that_breaks_a_file_leaves_the_old_version_in_force(
    repository: Repository,
) -> None:
    repository.commit(probe="a: 1\n", other="a: 1\n")
    backend = repository.backend()
    value(backend)
    broken = repository.commit(probe="a: [\n", other="a: 2\n")

    assert value(backend) == (broken, [1])
    assert value(backend, None, "other") == (broken, [2])
    assert "probe.yml, line" in backend.problems()["probe.yml"]
    with pytest.raises(UnreadableFile):
        value(repository.backend())


def test_a_symbolic_link_is_not_served(repository: Repository) -> None:
    (repository.path / "probe.yml").symlink_to("/etc/passwd")
    repository.commit()

    assert value(repository.backend())[1] == []  # type: ignore[index]
    assert repository.backend().file(ConfigQuery("probe", "dev"), "probe.yml") is None


def test_stamps_show_which_files_a_commit_changed(repository: Repository) -> None:
    repository.commit(probe="a: 1\n", other="a: 1\n")
    backend = repository.backend()
    before = backend.stamps()

    repository.commit(probe="a: 2\n")

    assert {path for path in before if backend.stamps()[path] != before[path]} == {"probe.yml"}


def test_a_folder_without_a_repository_is_reported_as_unavailable(tmp_path: Path) -> None:
    with pytest.raises(BackendUnavailable):
        value(GitBackend(tmp_path, "file://x", LABELS, []))


def test_a_damaged_repository_is_reported_as_unavailable(repository: Repository) -> None:
    commit = repository.commit(probe="a: 1\n")
    backend = repository.backend()
    (repository.path / ".git" / "objects" / commit[:2] / commit[2:]).unlink()

    with pytest.raises(BackendUnavailable):
        backend.stamps()


def test_over_http_a_label_has_its_version_and_an_unknown_one_is_not_found(
    repository: Repository, tmp_path: Path
) -> None:
    repository.commit(probe="a: 1\n")
    repository.git("switch", "--quiet", "-c", "feature/x")
    commit = repository.commit(probe="a: 2\n")

    with served(tmp_path, repository.backend()) as server:
        document = server.get("/probe/dev/feature(_)x").json()
        assert (document["label"], document["version"]) == ("feature/x", commit)
        assert document["propertySources"] == [
            {"name": f"file://{repository.path}/probe.yml", "source": {"a": 2}}
        ]
        assert server.get("/feature(_)x/probe-dev.yml").text == "a: 2\n"
        assert server.get("/probe/dev/feature(_)x/probe.yml").text == "a: 2\n"
        assert server.get("/probe/dev").json()["label"] is None
        for path in ("/probe/dev/no", "/no/probe-dev.yml", "/probe/dev/no/probe.yml"):
            assert server.get(path).status_code == 404


class Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def remote(repository: Repository) -> Iterator[str]:
    """Where the repository is to be had over HTTP, by those who have the password."""
    repositories: dict[str, BackendRepo] = {"/r": Repo(str(repository.path))}
    git = make_wsgi_chain(DictBackend(repositories))

    def guarded(environ: Any, start: Any) -> Any:
        if environ.get("HTTP_AUTHORIZATION") == "Basic bWU6cHc=":
            return git(environ, start)
        start("401 Unauthorized", [("WWW-Authenticate", "Basic")])
        return [b""]

    with make_server("127.0.0.1", 0, guarded, handler_class=Quiet) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/r"
        server.shutdown()
        thread.join(5)


def test_a_remote_repository_is_mirrored_and_its_changes_are_followed(
    repository: Repository, remote: str, tmp_path: Path
) -> None:
    first = repository.commit(probe="a: 1\n")
    repository.git("tag", "-a", "v1", "-m", "one")
    mirror = RepositoryMirror(remote, tmp_path / "mirror", "me", "pw")
    backend = GitBackend(mirror.folder, remote, LABELS, [], mirror, refresh_rate=60)
    with pytest.raises(BackendUnavailable):
        value(backend)
    backend.refresh()
    assert value(backend) == value(backend, "v1") == (first, [1])

    second = repository.commit(probe="a: 2\n")
    repository.git("tag", "-d", "v1")
    backend.refresh()
    assert value(backend) == (first, [1])  # not due yet
    backend.refresh(force=True)
    assert value(backend) == (second, [2])
    with pytest.raises(UnknownLabel):
        value(backend, "v1")


@pytest.mark.parametrize(
    ("uri", "reason"),
    [
        (None, "Unauthorized"),
        ("http://127.0.0.1:1/r", "refused"),
        ("git://127.0.0.1:1/r", "refused"),
    ],
)
def test_with_an_unreachable_remote_the_mirror_is_served(
    repository: Repository, remote: str, tmp_path: Path, uri: str | None, reason: str
) -> None:
    commit = repository.commit(probe="a: 1\n")
    RepositoryMirror(remote, tmp_path / "mirror", "me", "pw").refresh()

    away = RepositoryMirror(uri or remote, tmp_path / "mirror")
    backend = GitBackend(away.folder, remote, LABELS, [], away)
    with pytest.raises(BackendUnavailable, match=reason):
        backend.refresh(force=True)
    assert value(backend) == (commit, [1])
    assert "git fetch" in backend.problems()[remote]


def test_a_history_that_was_rewritten_is_followed(
    repository: Repository, remote: str, tmp_path: Path
) -> None:
    repository.commit(probe="a: 1\n")
    repository.commit(probe="a: 2\n")
    mirror = RepositoryMirror(remote, tmp_path / "mirror", "me", "pw")
    mirror.refresh()
    repository.git("reset", "--quiet", "--hard", "HEAD~1")
    rewritten = repository.commit(probe="a: 3\n")

    mirror.refresh()

    assert value(GitBackend(mirror.folder, remote, LABELS, [])) == (rewritten, [3])

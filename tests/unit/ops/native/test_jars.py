"""Jars are run with their pinned content or not at all."""

import hashlib
from pathlib import Path

import pytest

from fusebox.core.errors import Fault
from fusebox.core.stack import Stack
from fusebox.native import jars
from fusebox.native.jars import Jar

CONTENT = b"classes"


def jar(name: str = "a-1.jar", content: bytes = CONTENT) -> Jar:
    return Jar("kafka", "org.example:a:1", name, hashlib.sha256(content).hexdigest())


class MavenRepository:
    """Stands for Maven Central; counts what is fetched."""

    def __init__(self, content: bytes = CONTENT) -> None:
        self.content = content
        self.fetched: list[str] = []

    def download(self, coordinates: str, scratch: Path) -> Path:
        self.fetched.append(coordinates)
        path = scratch / f"{len(self.fetched)}.jar"
        path.write_bytes(self.content)
        return path


@pytest.fixture
def repository(monkeypatch: pytest.MonkeyPatch) -> MavenRepository:
    repository = MavenRepository()
    monkeypatch.setattr(jars, "download", repository.download)
    return repository


def nobody(done: int, of: int) -> None:
    """A progress that nobody looks at."""


def test_a_missing_jar_is_fetched_once(repository: MavenRepository, tmp_path: Path) -> None:
    folder = tmp_path / "java"

    jars.ensure([jar()], folder, nobody)
    jars.ensure([jar()], folder, nobody)

    assert (folder / "a-1.jar").read_bytes() == CONTENT
    assert repository.fetched == ["org.example:a:1"]


@pytest.mark.parametrize("content", [b"", CONTENT[:-1], b"other!!"])
def test_a_jar_with_wrong_content_is_fetched_again(
    repository: MavenRepository, tmp_path: Path, content: bytes
) -> None:
    (tmp_path / "a-1.jar").write_bytes(content)

    jars.ensure([jar()], tmp_path, nobody)

    assert (tmp_path / "a-1.jar").read_bytes() == CONTENT
    assert len(repository.fetched) == 1


def test_what_comes_with_another_content_is_told_and_never_kept(
    repository: MavenRepository, tmp_path: Path
) -> None:
    repository.content = b"tampered"

    with pytest.raises(Fault, match=r"a-1\.jar came with another content"):
        jars.ensure([jar()], tmp_path, nobody)

    assert not (tmp_path / "a-1.jar").exists()


def test_what_was_fetched_before_a_failure_is_kept(
    repository: MavenRepository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def only_the_first(coordinates: str, scratch: Path) -> Path:
        if repository.fetched:
            raise Fault("away")
        return repository.download(coordinates, scratch)

    monkeypatch.setattr(jars, "download", only_the_first)
    monkeypatch.setattr(jars, "FETCHES_AT_ONCE", 1)

    with pytest.raises(Fault, match="away"):
        jars.ensure([jar("a.jar"), jar("b.jar")], tmp_path, nobody)

    assert [path.name for path in tmp_path.glob("*.jar")] == ["a.jar"]


def test_scratch_of_a_fetch_that_was_killed_is_cleared_away(
    repository: MavenRepository, tmp_path: Path
) -> None:
    (tmp_path / ".fetch-old").mkdir()

    jars.ensure([jar()], tmp_path, nobody)

    assert not list(tmp_path.glob(".fetch-*"))
    assert len(repository.fetched) == 1


def test_the_progress_counts_to_the_end(repository: MavenRepository, tmp_path: Path) -> None:
    progress: list[tuple[int, int]] = []

    jars.ensure(
        [jar("a.jar"), jar("b.jar")], tmp_path, lambda done, of: progress.append((done, of))
    )

    assert progress == [(0, 2), (1, 2), (2, 2)]
    assert len(repository.fetched) == 2


def test_the_lock_is_read_as_it_was_written(tmp_path: Path) -> None:
    lock = tmp_path / "jars.lock"
    lock.write_text(f"# made by us\n\n{jar().line()}\n")

    assert jars.read_lock(lock) == [jar()]


@pytest.mark.parametrize("line", ["kafka a:b:1 a.jar", f"kafka a:b:1 ../a.jar {'0' * 64}"])
def test_a_lock_with_a_line_that_is_no_jar_is_refused(tmp_path: Path, line: str) -> None:
    lock = tmp_path / "jars.lock"
    lock.write_text(line)

    with pytest.raises(Fault, match="no jar"):
        jars.read_lock(lock)


def test_the_shops_own_lock_pins_kafka_and_zipkin_and_names_no_host(stack: Stack) -> None:
    lock = stack.native / "jars.lock"
    pinned = jars.read_lock(lock)

    names = {entry.coordinates for entry in pinned}
    assert {"org.apache.kafka:kafka_2.13:4.3.1", "io.zipkin:zipkin-server:3.6.1:slim"} <= names
    assert "http" not in lock.read_text()

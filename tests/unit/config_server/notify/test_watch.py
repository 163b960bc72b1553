"""Which files changed, which applications they affect, and that a change is announced once."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from config_server.backends.composite import CompositeBackend
from config_server.backends.folder import FolderBackend
from config_server.model import Backend, ConfigQuery
from config_server.notify.watch import BackendWatcher, affected_applications

PERIOD = 0.02

Announced = list[set[str] | None]


@contextmanager
def watched(*places: Path | Backend) -> Iterator[Announced]:
    announced: Announced = []
    backend = CompositeBackend(
        [FolderBackend(place) if isinstance(place, Path) else place for place in places]
    )
    stop = threading.Event()
    thread = threading.Thread(
        target=BackendWatcher(backend, announced.append, PERIOD).run, args=(stop,)
    )
    thread.start()
    try:
        until(lambda: announced == [None])
        announced.clear()
        yield announced
    finally:
        stop.set()
        thread.join(5)


def until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(PERIOD / 4)


@pytest.mark.parametrize(
    ("paths", "expected"),
    [
        (["probe.yml"], {"probe"}),
        (["order-service-native.yml"], {"order", "order-service", "order-service-native"}),
        (["application.yml"], None),
        (["application-dev.properties", "probe.yml"], None),
        (["0/sub/my.app.yaml"], {"my.app"}),
        ([], set()),
    ],
)
def test_a_file_affects_every_application_that_its_name_may_mean(
    paths: list[str], expected: set[str] | None
) -> None:
    assert affected_applications(paths) == expected


def test_new_edited_and_deleted_files_are_announced_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "probe.yml").write_text("a: 1\n")
    with watched(tmp_path) as announced:
        (tmp_path / "notes.txt").write_text("x")
        (tmp_path / "other.yml").write_text("a: 1\n")
        until(lambda: announced == [{"other"}])
        (tmp_path / "probe.yml").write_text("a: 2\n")
        until(lambda: announced[1:] == [{"probe"}])
        (tmp_path / "other.yml").unlink()
        until(lambda: announced[2:] == [{"other"}])


def test_a_file_that_others_import_is_announced_to_all(tmp_path: Path) -> None:
    (tmp_path / "probe.yml").write_text("spring.config.import: [sub/, extra.yml]\n")
    (tmp_path / "sub").mkdir()
    backend = FolderBackend(tmp_path)
    backend.find(ConfigQuery("probe", "dev"))
    with watched(CompositeBackend([backend])) as announced:
        (tmp_path / "extra.yml").write_text("a: 1\n")
        until(lambda: announced == [None])
        (tmp_path / "sub" / "probe.yml").write_text("a: 1\n")
        until(lambda: announced == [None, None])


def test_a_broken_file_is_announced_once_it_is_valid_again(tmp_path: Path) -> None:
    (tmp_path / "probe.yml").write_text("a: 1\n")
    with watched(tmp_path) as announced:
        (tmp_path / "probe.yml").write_text("a: [\n")
        (tmp_path / "other.yml").write_text("a: 1\n")
        until(lambda: announced)
        (tmp_path / "probe.yml").write_text("a: 2\n")
        until(lambda: len(announced) > 1)

    assert {"probe"} not in announced[:1]
    assert announced[-1] == {"probe"}


def test_at_the_start_all_are_announced_once_the_back_end_can_be_read(tmp_path: Path) -> None:
    folder = tmp_path / "config"
    announced: Announced = []
    stop = threading.Event()
    watch = BackendWatcher(FolderBackend(folder), announced.append, PERIOD)
    thread = threading.Thread(target=watch.run, args=(stop,))
    thread.start()
    time.sleep(4 * PERIOD)
    before = list(announced)

    folder.mkdir()

    until(lambda: announced)
    stop.set()
    thread.join(5)
    assert (before, announced) == ([], [None])


def test_a_folder_that_comes_back_unchanged_is_not_announced(tmp_path: Path) -> None:
    folder, away = tmp_path / "config", tmp_path / "away"
    folder.mkdir()
    (folder / "probe.yml").write_text("a: 1\n")
    with watched(folder) as announced:
        folder.rename(away)
        time.sleep(4 * PERIOD)
        away.rename(folder)
        time.sleep(4 * PERIOD)
        assert announced == []
        (folder / "probe.yml").write_text("a: 2\n")
        until(lambda: announced == [{"probe"}])


def test_each_of_several_back_ends_is_watched(tmp_path: Path) -> None:
    folders = [tmp_path / "one", tmp_path / "two"]
    for folder in folders:
        folder.mkdir()
    with watched(*folders) as announced:
        for folder in folders:
            (folder / "application.yml").write_text("a: 1\n")
            until(lambda: announced.pop() is None if announced else False)

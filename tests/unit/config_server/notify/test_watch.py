"""What changed, whom that concerns, and that it is told once."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from config_server.backends.composite import CompositeBackend
from config_server.backends.folder import FolderBackend
from config_server.notify.watch import BackendWatcher, affected_applications

PERIOD = 0.02

Told = list[set[str] | None]


@contextmanager
def watched(*folders: Path) -> Iterator[Told]:
    told: Told = []
    backend = CompositeBackend([FolderBackend(each) for each in folders])
    stop = threading.Event()
    thread = threading.Thread(target=BackendWatcher(backend, told.append, PERIOD).run, args=(stop,))
    thread.start()
    try:
        until(lambda: told == [None])
        told.clear()
        yield told
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
def test_a_file_concerns_whoever_its_name_may_mean(
    paths: list[str], expected: set[str] | None
) -> None:
    assert affected_applications(paths) == expected


def test_new_edited_and_deleted_files_are_told_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "probe.yml").write_text("a: 1\n")
    with watched(tmp_path) as told:
        (tmp_path / "notes.txt").write_text("x")
        (tmp_path / "other.yml").write_text("a: 1\n")
        until(lambda: told == [{"other"}])
        (tmp_path / "probe.yml").write_text("a: 2\n")
        until(lambda: told[1:] == [{"probe"}])
        (tmp_path / "other.yml").unlink()
        until(lambda: told[2:] == [{"other"}])


def test_a_broken_file_is_told_when_it_is_whole_again(tmp_path: Path) -> None:
    (tmp_path / "probe.yml").write_text("a: 1\n")
    with watched(tmp_path) as told:
        (tmp_path / "probe.yml").write_text("a: [\n")
        (tmp_path / "other.yml").write_text("a: 1\n")
        until(lambda: told)
        (tmp_path / "probe.yml").write_text("a: 2\n")
        until(lambda: len(told) > 1)

    assert {"probe"} not in told[:1]
    assert told[-1] == {"probe"}


def test_at_the_start_all_are_told_once_it_is_known_what_there_is(tmp_path: Path) -> None:
    folder = tmp_path / "config"
    told: Told = []
    stop = threading.Event()
    watch = BackendWatcher(FolderBackend(folder), told.append, PERIOD)
    thread = threading.Thread(target=watch.run, args=(stop,))
    thread.start()
    time.sleep(4 * PERIOD)
    before = list(told)

    folder.mkdir()

    until(lambda: told)
    stop.set()
    thread.join(5)
    assert (before, told) == ([], [None])


def test_a_folder_that_comes_back_as_it_was_is_no_change(tmp_path: Path) -> None:
    folder, away = tmp_path / "config", tmp_path / "away"
    folder.mkdir()
    (folder / "probe.yml").write_text("a: 1\n")
    with watched(folder) as told:
        folder.rename(away)
        time.sleep(4 * PERIOD)
        away.rename(folder)
        time.sleep(4 * PERIOD)
        assert told == []
        (folder / "probe.yml").write_text("a: 2\n")
        until(lambda: told == [{"probe"}])


def test_each_of_several_back_ends_is_watched(tmp_path: Path) -> None:
    folders = [tmp_path / "one", tmp_path / "two"]
    for each in folders:
        each.mkdir()
    with watched(*folders) as told:
        for each in folders:
            (each / "application.yml").write_text("a: 1\n")
            until(lambda: told.pop() is None if told else False)

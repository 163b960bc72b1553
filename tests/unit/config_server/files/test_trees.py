"""Which files concern an application, in which order, and what is served of a broken one."""

import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from config_server.backends.folder import FolderBackend
from config_server.files import render
from config_server.files.trees import LastGoodCopies
from config_server.model import BackendUnavailable, ConfigQuery, UnreadableFile

PROFILES = ["a", "b", "c"]
SUFFIXES = [".yaml", ".yml", ".properties"]  # the weakest first
PARTS = ["", "-a", "-b", "-c"]
FILES = [
    f"{name}{part}{suffix}"
    for name in ("application", "probe", "other")
    for part in PARTS
    for suffix in SUFFIXES
]


def values(location: Path, profile: str, key: str = "a") -> list[Any]:
    sources = FolderBackend(location).find(ConfigQuery("probe", profile)).sources
    return [source.plain().get(key) for source in sources]


def test_the_later_document_of_a_file_wins_and_its_profile_condition_counts(tmp_path: Path) -> None:
    (tmp_path / "probe.yml").write_text(
        "a: 1\n---\nspring.config.activate.on-profile: dev\na: 2\n---\n"
        "spring.config.activate.on-profile: '!dev'\na: 3\n"
    )

    assert values(tmp_path, "dev") == [2, 1]
    assert values(tmp_path, "prod") == [3, 1]


def test_documents_of_a_properties_file_may_depend_on_profiles_too(tmp_path: Path) -> None:
    (tmp_path / "probe.properties").write_text(
        "a=1\n#---\nspring.config.activate.on-profile=dev\na=2\n"
    )

    assert values(tmp_path, "dev") == ["2", "1"]
    assert values(tmp_path, "prod") == ["1"]


def test_documents_of_one_file_have_names_of_their_own(tmp_path: Path) -> None:
    (tmp_path / "probe.yml").write_text("a: 1\n---\na: 2\n")

    sources = FolderBackend(tmp_path).find(ConfigQuery("probe", "dev")).sources

    assert [source.name for source in sources] == [
        f"file:{tmp_path}/probe.yml (document #{number})" for number in (1, 0)
    ]


def test_an_invalid_profile_expression_is_reported(tmp_path: Path) -> None:
    (tmp_path / "probe.yml").write_text("spring.config.activate.on-profile: 'a &'\n")

    with pytest.raises(UnreadableFile, match=r"probe\.yml: profile expression"):
        FolderBackend(tmp_path).find(ConfigQuery("probe", "dev"))


def test_the_application_called_application_is_served_once(tmp_path: Path) -> None:
    (tmp_path / "application.yml").write_text("a: 1\n")

    assert len(FolderBackend(tmp_path).find(ConfigQuery("application", "dev")).sources) == 1


@given(
    present=some.sets(some.sampled_from(FILES)),
    profiles=some.lists(some.sampled_from(PROFILES), min_size=1, unique=True),
    names=some.lists(some.sampled_from(["probe", "other"]), min_size=1, unique=True),
)
def test_the_sources_and_their_order_equal_those_of_a_simple_model(
    tmp_path_factory: pytest.TempPathFactory,
    present: set[str],
    profiles: list[str],
    names: list[str],
) -> None:
    folder = tmp_path_factory.mktemp("config")
    for name in present:
        separator = "=" if name.endswith(".properties") else ": "
        (folder / name).write_text(f"a{separator}{name}\n")

    # From the lowest precedence to the highest.
    model = [
        f"{name}{part}{suffix}"
        for part in ("", *(f"-{profile}" for profile in profiles))
        for name in ("application", *names)
        for suffix in SUFFIXES
        if f"{name}{part}{suffix}" in present
    ]

    query = ConfigQuery(",".join(names), ",".join(profiles))
    sources = FolderBackend(folder).find(query).sources
    assert [source.plain()["a"] for source in sources] == model[::-1]
    assert render.merged(sources).get("a") == (model[-1] if model else None)


def test_the_last_good_version_of_a_broken_file_is_served_and_the_fault_is_reported(
    tmp_path: Path,
) -> None:
    backend, file = FolderBackend(tmp_path), tmp_path / "probe.yml"
    file.write_text("a: 1\n")
    good = backend.find(ConfigQuery("probe", "dev"))

    file.write_text("a: 1\n  b: [\n")
    assert backend.find(ConfigQuery("probe", "dev")) == good
    assert "probe.yml, line 2" in backend.problems()["probe.yml"]

    file.write_text("a: 3\n")
    assert backend.find(ConfigQuery("probe", "dev")).sources[0].plain() == {"a": 3}
    assert backend.problems() == {}


def test_the_last_good_version_outlives_the_server(tmp_path: Path) -> None:
    folder, copies = tmp_path / "config", LastGoodCopies(tmp_path / "copies")
    folder.mkdir()
    (folder / "probe.yml").write_text("a: 1\n")
    FolderBackend(folder, copies).find(ConfigQuery("probe", "dev"))
    (folder / "probe.yml").write_text("a: [\n")

    again = FolderBackend(folder, copies)

    assert again.find(ConfigQuery("probe", "dev")).sources[0].plain() == {"a": 1}
    assert list(again.problems()) == ["probe.yml"]
    assert (tmp_path / "copies" / "probe.yml").stat().st_mode & 0o077 == 0


def test_a_deleted_file_is_gone_and_so_is_its_copy(tmp_path: Path) -> None:
    folder, copies = tmp_path / "config", LastGoodCopies(tmp_path / "copies")
    folder.mkdir()
    backend = FolderBackend(folder, copies)
    (folder / "probe.yml").write_text("a: 1\n")
    assert backend.find(ConfigQuery("probe", "dev")).sources

    (folder / "probe.yml").unlink()

    assert backend.find(ConfigQuery("probe", "dev")).sources == []
    assert copies.read("probe.yml") is None


def test_a_file_that_leads_out_of_the_folder_is_not_served(tmp_path: Path) -> None:
    folder = tmp_path / "config"
    folder.mkdir()
    (tmp_path / "outside.yml").write_text("a: secret\n")
    (folder / "probe.yml").symlink_to(tmp_path / "outside.yml")
    (folder / "inside.yml").write_text("a: 1\n")
    (folder / "other.yml").symlink_to("inside.yml")
    backend = FolderBackend(folder)

    with pytest.raises(UnreadableFile, match=r"probe\.yml: leads out of the folder"):
        backend.find(ConfigQuery("probe", "dev"))
    assert backend.find(ConfigQuery("other", "dev")).sources[0].plain() == {"a": 1}


def test_a_pipe_or_folder_in_place_of_a_file_is_reported_and_does_not_block(tmp_path: Path) -> None:
    (tmp_path / "probe.yml").mkdir()
    os.mkfifo(tmp_path / "other.yml")
    backend = FolderBackend(tmp_path)

    for name in ("probe", "other"):
        with pytest.raises(UnreadableFile, match="no regular file"):
            backend.find(ConfigQuery(name, "dev"))


def test_a_folder_that_is_gone_is_not_an_empty_configuration(tmp_path: Path) -> None:
    backend = FolderBackend(tmp_path / "gone")

    with pytest.raises(BackendUnavailable, match="is gone"):
        backend.find(ConfigQuery("probe", "dev"))
    with pytest.raises(BackendUnavailable):
        backend.stamps()

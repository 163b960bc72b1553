"""Which files concern an application, and in which order."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from config_server import rendering
from config_server.documents import Unreadable
from config_server.repository import Repository

PROFILES = ["a", "b", "c"]
FILES = [f"{name}{part}" for name in ("application", "probe") for part in ("", "-a", "-b", "-c")]


def values(location: Path, profile: str, key: str = "a") -> list[Any]:
    return [source.plain().get(key) for source in Repository(location).find("probe", profile)]


def test_of_one_file_the_later_document_wins_and_the_condition_counts(tmp_path: Path) -> None:
    (tmp_path / "probe.yml").write_text(
        "a: 1\n---\nspring.config.activate.on-profile: dev\na: 2\n---\n"
        "spring.config.activate.on-profile: '!dev'\na: 3\n"
    )

    assert values(tmp_path, "dev") == [2, 1]
    assert values(tmp_path, "prod") == [3, 1]


def test_documents_of_one_file_have_names_of_their_own(tmp_path: Path) -> None:
    (tmp_path / "probe.yml").write_text("a: 1\n---\na: 2\n")

    names = [source.name for source in Repository(tmp_path).find("probe", "dev")]

    assert names == [f"file:{tmp_path}/probe.yml (document #{number})" for number in (1, 0)]


def test_a_condition_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    (tmp_path / "probe.yml").write_text("spring.config.activate.on-profile: 'a &'\n")

    with pytest.raises(Unreadable, match=r"probe\.yml: profile expression"):
        Repository(tmp_path).find("probe", "dev")


def test_both_suffixes_are_read(tmp_path: Path) -> None:
    (tmp_path / "probe.yaml").write_text("a: 1\n")
    (tmp_path / "application.yml").write_text("a: 2\n")

    assert values(tmp_path, "dev") == [1, 2]


def test_the_application_called_application_is_served_once(tmp_path: Path) -> None:
    (tmp_path / "application.yml").write_text("a: 1\n")

    assert len(Repository(tmp_path).find("application", "dev")) == 1


@given(
    present=some.sets(some.sampled_from(FILES)),
    profiles=some.lists(some.sampled_from(PROFILES), min_size=1, unique=True),
)
def test_the_winner_is_the_one_a_plain_model_names(
    tmp_path_factory: pytest.TempPathFactory, present: set[str], profiles: list[str]
) -> None:
    folder = tmp_path_factory.mktemp("config")
    for name in present:
        (folder / f"{name}.yml").write_text(f"a: {name}\n")

    # From the weakest to the strongest, each overwriting what was there.
    model = None
    for profile in (None, *profiles):
        for name in ("application", "probe"):
            stem = f"{name}-{profile}" if profile else name
            model = stem if stem in present else model

    found = rendering.merged(Repository(folder).find("probe", ",".join(profiles)))
    assert found.get("a") == model

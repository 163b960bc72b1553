"""One version, wherever one stands; one licence, said once."""

import re
import tomllib
from pathlib import Path

import pytest

from fusebox.docker import images

ROOT = Path(__file__).resolve().parents[3]
VERSION = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
MEMBERS = sorted([*ROOT.glob("*/pyproject.toml"), *ROOT.glob("services/*/pyproject.toml")])


@pytest.mark.parametrize("member", MEMBERS, ids=lambda member: member.parent.name)
def test_every_member_has_the_version_of_the_workspace(member: Path) -> None:
    assert tomllib.loads(member.read_text())["project"]["version"] == VERSION


def test_the_images_are_tagged_with_the_version(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FUSEBOX_TAG", raising=False)
    compose = (ROOT / "docker-compose.yml").read_text()
    dockerfile = (ROOT / "deploy" / "docker" / "Dockerfile").read_text()

    assert set(re.findall(r"FUSEBOX_TAG:-([^}]+)}", compose)) == {VERSION}
    assert re.findall(r"^ARG VERSION=(.+)$", dockerfile, re.MULTILINE) == [VERSION]
    assert {name.rpartition(":")[2] for name in images.names()} == {VERSION}


def test_the_changelog_begins_with_the_version() -> None:
    sections = re.findall(r"^## (.+)$", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    versions = [section for section in sections if not section.endswith("(unreleased)")]

    assert versions[0] == VERSION


def test_one_file_says_the_licence_of_all_files() -> None:
    everything, *_others = tomllib.loads((ROOT / "REUSE.toml").read_text())["annotations"]
    licence = everything["SPDX-License-Identifier"]

    assert everything["path"] == "**"
    assert (ROOT / "LICENSES" / f"{licence}.txt").read_text() == (ROOT / "LICENSE").read_text()


def test_what_others_have_written_is_there_with_its_licence() -> None:
    _everything, *others = tomllib.loads((ROOT / "REUSE.toml").read_text())["annotations"]

    assert others
    for annotation in others:
        assert (ROOT / annotation["path"]).is_file()
        assert (ROOT / "LICENSES" / f"{annotation['SPDX-License-Identifier']}.txt").is_file()

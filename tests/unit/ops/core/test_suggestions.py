"""Who misspells a name is told which was meant."""

import subprocess
import sys
from pathlib import Path

import pytest

from fusebox.core import suggestions
from fusebox.core.errors import Fault
from fusebox.core.suggestions import nearest
from fusebox.core.topology import BY_NAME, part_named

VERBS = ("kill", "status", "scale", "heal", "replay-dead")


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("kil", "kill"),
        ("KILL", "kill"),
        ("staus", "status"),
        ("replaydead", "replay-dead"),
        ("sc", "scale"),
        ("xyzzy", None),
        ("", None),
    ],
)
def test_the_nearest_verb_is_suggested_if_one_is_near(typed: str, meant: str | None) -> None:
    assert nearest(typed, VERBS) == meant


@pytest.mark.parametrize(
    ("typed", "meant"),
    [("ordr", "order-service"), ("catlog-service", "catalog-service"), ("gatway", "gateway")],
)
def test_a_misspelled_part_is_refused_with_the_one_that_was_meant(typed: str, meant: str) -> None:
    with pytest.raises(Fault) as refusal:
        part_named(typed)

    assert f"did you mean {meant}?" in refusal.value.remedy
    assert all(name in refusal.value.remedy for name in BY_NAME)


def test_the_name_of_an_instance_is_taken_apart() -> None:
    with pytest.raises(Fault) as refusal:
        part_named("order-service-2")

    assert "SERVICE=order-service INSTANCE=2" in refusal.value.remedy


def test_the_makefile_suggests_a_verb_before_anything_is_installed(tmp_path: Path) -> None:
    file = Path(suggestions.__file__)

    done = subprocess.run(
        [sys.executable, "-S", str(file), "kil", *VERBS],
        capture_output=True,
        text=True,
        cwd=tmp_path,
    )

    assert done.returncode == 2
    assert "did you mean kill?" in done.stderr


def test_make_suggests_the_verb_that_was_meant() -> None:
    clone = Path(__file__).resolve().parents[4]

    done = subprocess.run(["make", "kil"], capture_output=True, text=True, cwd=clone)

    assert done.returncode == 2
    assert "did you mean kill?" in done.stderr

"""`make new` in a copy of the clone: the shop starts with the new service, and its tests pass."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from fusebox.native import jars

from ...running import CLONE, processes_only

SERVICE = "review-service"
KINDS = ("unit", "component", "contract")


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """What git knows of, and what it does not ignore; Kafka and Zipkin need no second download."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=CLONE,
        check=True,
        capture_output=True,
        text=True,
    )
    for name in filter(None, listed.stdout.split("\0")):
        if (CLONE / name).is_file():  # not what was removed and is not committed yet
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(CLONE / name, tmp_path / name)
    fetched = jars.jar_folder()
    if fetched.is_dir():
        shutil.copytree(fetched, tmp_path / ".venv" / fetched.relative_to(sys.prefix))
    return tmp_path


def make(copy: Path, *words: str) -> str:
    """Its own folder and environment, as for somebody who has just cloned it."""
    inherited = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("FUSEBOX_", "MAKE", "VIRTUAL_ENV"))
    }
    done = subprocess.run(
        ["make", *words], cwd=copy, env=inherited, capture_output=True, text=True, timeout=800
    )
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-8000:]
    return done.stdout


@processes_only
@pytest.mark.timeout(900)
def test_a_new_service_starts_with_the_shop_and_all_its_tests_pass(copy: Path) -> None:
    printed = make(copy, "new", f"SERVICE={SERVICE}")
    tests = [line for line in printed.splitlines() if line.startswith("tests/")]

    make(copy, "check")
    passed = make(copy, "test", f"TESTS={' '.join(path for path in tests if '/test_' in path)}")

    assert {Path(path).parts[1] for path in tests} == {*KINDS, "e2e"}
    # The one in e2e starts the whole shop of the copy and calls the service through its gateway.
    assert "passed" in passed or "100%" in passed
    assert "skipped" not in passed

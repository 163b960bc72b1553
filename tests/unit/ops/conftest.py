"""A stack in a folder of the test's own; nothing of it runs."""

from pathlib import Path

import pytest

from fusebox.stack import Stack


@pytest.fixture
def stack(tmp_path: Path) -> Stack:
    clone = Path(__file__).resolve().parents[3]
    return Stack(home=tmp_path / "home", clone=clone)

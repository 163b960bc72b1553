"""README.md, CONTRIBUTING.md and docs/ name verbs that exist, and the demo's own words."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
README = (ROOT / "README.md").read_text()
PAGES = sorted([ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md")])
TARGETS = set(re.findall(r"^([a-z-]+):.*## ", (ROOT / "Makefile").read_text(), re.MULTILINE))
# For those who work on the shop, and told in CONTRIBUTING.md or by `make help`.
INNER = {"help", "faults", "lock"}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_a_page_names_verbs_that_exist(page: Path) -> None:
    verbs = set(re.findall(r"(?:`|^|, )make ([a-z-]+)", page.read_text(), re.MULTILINE))

    assert verbs - TARGETS - {"install"} == set()


def test_the_readme_names_every_verb() -> None:
    assert sorted(verb for verb in TARGETS - INNER if f"make {verb}" not in README) == []


def test_the_lines_of_the_tour_are_those_that_it_prints() -> None:
    promises = re.findall(r"^  ✓ (.+)$", README, re.MULTILINE)
    printed = " ".join(
        node.value
        for file in (ROOT / "ops" / "src" / "fusebox" / "demo" / "steps").glob("*.py")
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    )

    assert len(promises) > 1
    for promise in promises:
        # A figure is filled in.
        assert all(part in printed for part in re.split(r"\d+", promise)), promise

"""docs/images/shop.svg is what its script makes of the topology."""

import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

from fusebox.core import topology

DOCS = Path(__file__).resolve().parents[3] / "docs"


def test_the_picture_is_as_the_script_makes_it(tmp_path: Path) -> None:
    drawn = tmp_path / "shop.svg"
    subprocess.run([sys.executable, DOCS / "picture.py", drawn], check=True)

    assert (DOCS / "images" / "shop.svg").read_text() == drawn.read_text(), (
        "run `python docs/picture.py`"
    )


def test_every_part_and_topic_is_in_the_picture() -> None:
    root = ElementTree.fromstring((DOCS / "images" / "shop.svg").read_text())
    words = " ".join(element.text or "" for element in root.iter()).lower()

    assert [part.name for part in topology.PARTS if _title(part.name) not in words] == []
    assert [topic.name for topic in topology.TOPICS if f"{topic.name.lower()}:" not in words] == []


def _title(part: str) -> str:
    return {"postgres": "postgresql"}.get(part, part)

"""The packages that requirements.lock pins."""

import re
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[4]
LOCK = ROOT / "requirements.lock"
PIN = re.compile(r"(?P<name>[A-Za-z0-9._-]+)==(?P<version>[^\s;\\]+)(?:\s*;\s*(?P<marker>[^\\]+))?")


class Pin(NamedTuple):
    """`marker` says for which machines; empty for all."""

    name: str
    version: str
    marker: str


def pinned(text: str) -> list[Pin]:
    matches = (PIN.match(line) for line in text.splitlines())
    return [
        Pin(match["name"], match["version"], (match["marker"] or "").strip())
        for match in matches
        if match
    ]

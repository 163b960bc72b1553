"""The lines about a new service in the files that it shares with the others.

Each is made like the lines about catalog-service, so that what holds for those holds for the new
ones.  A file in which they are not found is a fault, and then nothing has been written.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path

from fusebox.core.errors import Fault
from fusebox.scaffold.names import ServiceNames

Edit = Callable[[str, ServiceNames], str]
SIBLING = ServiceNames("catalog-service")


def edited(clone: Path, names: ServiceNames) -> dict[Path, str]:
    """The new text of each shared file; nothing is written."""
    texts = {}
    for name, edit in EDITS.items():
        path = clone / name
        text = edit(path.read_text(), names)
        if names.service not in text and names.module not in text:
            raise Fault(
                f"{name} does not name {SIBLING.service} as it used to",
                where=str(path),
                remedy=f"write the lines about {names.service} there by hand.",
            )
        texts[path] = text
    return texts


def like_sibling(text: str, names: ServiceNames) -> str:
    """`text`, which is about catalog-service, about the new service."""
    for old, new in (
        (f"build-{SIBLING.service}", f"build-{names.service}"),
        (SIBLING.service, names.service),
        (SIBLING.module, names.module),
        (SIBLING.folder, names.folder),
        (f"{SIBLING.slug}-db", f"{names.slug}-db"),
    ):
        text = re.sub(rf"(?<![\w-]){re.escape(old)}(?![a-z_])", new, text)
    return text


def _items(text: str, names: ServiceNames) -> str:
    """Lists of strings that name catalog-service's package or folder name the new one's too."""
    pattern = rf'"({SIBLING.module}(?:\.[a-z_]+)?|{SIBLING.folder}/src)"'
    return re.sub(pattern, lambda item: f"{item[0]}, {like_sibling(item[0], names)}", text)


def _blocks(text: str, names: ServiceNames, start: str) -> str:
    """Each block that begins with `start` is followed by its like; it ends where it is indented
    no more than its first line."""
    lines, made = text.splitlines(keepends=True), list[str]()
    while lines:
        block = [lines.pop(0)]
        if re.match(start, block[0]):
            indent = len(block[0]) - len(block[0].lstrip())
            while lines and len(lines[0]) - len(lines[0].lstrip()) > indent:
                block.append(lines.pop(0))
            gap = [lines.pop(0)] if lines and not lines[0].strip() else []
            block += [*gap, *(like_sibling(line, names) for line in block), *gap]
        made += block
    return "".join(made)


def _gateway(text: str, names: ServiceNames) -> str:
    return _blocks(text, names, rf" +- id: {SIBLING.service}\n")


def _compose(text: str, names: ServiceNames) -> str:
    database = f"{SIBLING.slug}-db"
    text = _blocks(text, names, rf"  {SIBLING.service}(-prepare)?:\n")
    text = re.sub(
        rf"^  (?:{database}|{SIBLING.service}): \{{.*\n",
        lambda line: line[0] + like_sibling(line[0], names),
        text,
        flags=re.M,
    )
    return re.sub(
        rf"(networks: \[.*)\b{database}, ops-db\]",
        rf"\1{database}, {names.slug}-db, ops-db]",
        text,
    )


def _topology(text: str, names: ServiceNames) -> str:
    """Its part, its topic, that it reads `products`, and that it calls whom catalog-service calls.

    No other service calls it yet.
    """
    topic = names.values()["topic"]
    callers = rf'(called-by = \[.*"{SIBLING.service}")'
    text = re.sub(callers, rf'\1, "{names.service}"', text)
    part = rf"(\[parts\.{SIBLING.service}\]\n(?:.+\n)+\n)"
    text = re.sub(part, lambda block: block[0] + _uncalled(like_sibling(block[0], names)), text)
    text = re.sub(
        r"(\[topics\.products\]\n(?:.+\n)*?read-by = \[.*)\]", rf'\1, "{names.service}"]', text
    )
    return f'{text}\n[topics.{topic}]\npartitions = 6\npublished-by = ["{names.service}"]\n'


def _uncalled(part: str) -> str:
    return re.sub(r'(called-by = \[.*)"order-service", ', r"\1", part)


def _workflow(text: str, names: ServiceNames) -> str:
    return re.sub(
        rf"^ +- \{{name: {SIBLING.service},.*\n",
        lambda line: line[0] + like_sibling(line[0], names),
        text,
        flags=re.M,
    )


def _container_page(text: str, names: ServiceNames) -> str:
    text = re.sub(
        rf"^\| {SIBLING.service} \|.*\n",
        lambda row: row[0] + like_sibling(row[0], names),
        text,
        flags=re.M,
    )
    return text.replace(f"{SIBLING.slug}-db, ops-db", f"{SIBLING.slug}-db, {names.slug}-db, ops-db")


EDITS: Mapping[str, Edit] = {
    "ops/src/fusebox/topology.toml": _topology,
    "pyproject.toml": _items,
    "docker-compose.yml": _compose,
    "config/gateway.yml": _gateway,
    "docs/containers.md": _container_page,
    ".github/workflows/ci.yml": _workflow,
}
# Files of catalog-service's own of which the new service has its like.
COPIED = (
    "config/{service}.yml",
    "config/{service}-native.yml",
    "config/{service}-docker.yml",
    "deploy/docker/requirements/{service}.txt",
    "deploy/docker/secrets/{service}/.gitkeep",
)


def copies(clone: Path, names: ServiceNames) -> dict[Path, str]:
    """The files that are like catalog-service's, by their paths."""
    return {
        clone / name.format(service=names.service): like_sibling(
            (clone / name.format(service=SIBLING.service)).read_text(), names
        )
        for name in COPIED
    }

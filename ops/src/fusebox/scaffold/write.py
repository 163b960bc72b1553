"""Writes the whole of a new service into a clone, or nothing of it."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import version
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from string import Template

from fusebox.core.files import write_whole
from fusebox.operations import requirements_lock
from fusebox.scaffold import shared_files
from fusebox.scaffold.names import ServiceNames

TEMPLATES = files("fusebox.scaffold") / "templates"
ENDING = ".template"


def write(clone: Path, service: str) -> list[Path]:
    """The paths that were written, relative to `clone`, in the order of their names."""
    names = ServiceNames.checked(service, clone)
    # All is made before anything is written, so that a fault leaves the clone as it was.
    texts = {
        **shared_files.edited(clone, names),
        **shared_files.copies(clone, names),
        **{clone / path: text for path, text in filled(names).items()},
    }
    for path, text in texts.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, text.encode(), 0o644)
    _arrange([path for path in texts if path.suffix == ".py"])
    # It depends on what the others depend on already, so the lock is the same but for its digest.
    requirements_lock.write(clone, clone / "requirements.lock")
    picture = clone / "docs" / "picture.py"
    subprocess.run([sys.executable, picture], cwd=clone, check=True)
    return sorted(path.relative_to(clone) for path in texts)


def filled(names: ServiceNames) -> dict[str, str]:
    """Every template with its names filled in, by the path in the clone that it belongs to."""
    values = {**names.values(), "version": version("fusebox")}
    return {
        _path(name, names): Template(text).substitute(values)
        for name, text in _templates(TEMPLATES)
    }


def _path(template: str, names: ServiceNames) -> str:
    path = template.removesuffix(ENDING)
    return path.replace("SLUG", names.slug).replace("MODULE", names.module)


def _templates(folder: Traversable, above: str = "") -> list[tuple[str, str]]:
    templates = []
    for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
        path = f"{above}{entry.name}"
        if entry.is_dir():
            templates += _templates(entry, f"{path}/")
        elif path.endswith(ENDING):
            templates.append((path, entry.read_text()))
    return templates


def _arrange(modules: list[Path]) -> None:
    """Where an import stands and where a line ends depends on how long the name is."""
    ruff = [sys.executable, "-m", "ruff"]
    subprocess.run([*ruff, "check", "--quiet", "--select", "I", "--fix", *modules], check=True)
    subprocess.run([*ruff, "format", "--quiet", *modules], check=True)

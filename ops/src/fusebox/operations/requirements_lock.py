"""Says when requirements.lock is older than what the members declare.

The lock begins with a digest of all declared dependencies, so the question needs no network.
Runs without the environment that it checks: standard library only.
"""

import hashlib
import json
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[4]
LOCK = ROOT / "requirements.lock"
MARK = "# declared dependencies: sha256 "


def declared(root: Path = ROOT) -> str:
    """The digest of every member's declared dependencies."""
    dependencies = {}
    for file in sorted(
        [
            root / "pyproject.toml",
            *root.glob("*/pyproject.toml"),
            *root.glob("services/*/pyproject.toml"),
        ]
    ):
        content = tomllib.loads(file.read_text())
        project = content.get("project", {})
        dependencies[str(file.relative_to(root))] = [
            project.get("requires-python"),
            project.get("dependencies"),
            project.get("optional-dependencies"),
            content.get("dependency-groups"),
        ]
    return hashlib.sha256(json.dumps(dependencies, sort_keys=True).encode()).hexdigest()


def locked(lock: Path = LOCK) -> str:
    """The digest that the lock was made from; empty when it does not say."""
    first = lock.read_text().partition("\n")[0]
    return first.removeprefix(MARK) if first.startswith(MARK) else ""


def write(root: Path = ROOT, lock: Path = LOCK) -> None:
    lines = [line for line in lock.read_text().splitlines(True) if not line.startswith(MARK)]
    lock.write_text(f"{MARK}{declared(root)}\n" + "".join(lines))


def main() -> None:
    if "--write" in sys.argv[1:]:
        write()
    elif locked() != declared():
        sys.exit("requirements.lock is stale: a declared dependency has changed. Run `make lock`.")


if __name__ == "__main__":
    main()

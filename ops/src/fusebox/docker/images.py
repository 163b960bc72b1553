"""The images of the shop: built when they are missing or older than the sources."""

from __future__ import annotations

import hashlib
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

from fusebox.core.errors import Fault
from fusebox.core.stack import Stack
from fusebox.core.topology import OPS, PARTS
from fusebox.docker import compose

NAMES = ("ops", *(part.name for part in PARTS if part.is_ours))
# What goes into an image, as .dockerignore lets it through.
MADE_OF = (
    "requirements.lock",
    "chassis",
    *{part.source.split("/")[0] for part in PARTS if part.is_ours},
    OPS.source,
    "deploy/docker",
)
SUFFIXES = {".py", ".toml", ".lock", ".txt", ".mako", ".ini", ""}
LABEL = "org.fusebox.sources"
BUILD_SECONDS = 1800.0
LINES_TOLD = 15


def ensure(stack: Stack) -> None:
    """Build what does not fit the sources of the clone; raises Fault with the builder's words."""
    if not outdated(stack):
        return
    done = subprocess.run(
        compose.compose_command(stack, "build", "--progress", "plain"),
        env={**compose.environment(stack), "FUSEBOX_SOURCES": sources_digest(stack.clone)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        timeout=BUILD_SECONDS,
    )
    if done.returncode != 0:
        raise Fault(
            "the images could not be built",
            where="\n".join(done.stdout.splitlines()[-LINES_TOLD:]),
            remedy="mend what it says; `docker compose build` shows all of it.",
        )


def outdated(stack: Stack) -> list[str]:
    """The images that are missing, or were built from other sources."""
    digest = sources_digest(stack.clone)
    return [image for image in names() if _label(image) != digest]


def names() -> list[str]:
    tag = os.environ.get("FUSEBOX_TAG") or "0.2.0"
    return [f"fusebox/{member}:{tag}" for member in NAMES]


def sources_digest(clone: Path) -> str:
    digest = hashlib.sha256()
    for file in sorted(_files(clone)):
        digest.update(str(file.relative_to(clone)).encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()[:16]


def _files(clone: Path) -> Iterator[Path]:
    for name in MADE_OF:
        for file in [clone / name] if (clone / name).is_file() else (clone / name).rglob("*"):
            if file.is_file() and file.suffix in SUFFIXES and _goes_in(file.relative_to(clone)):
                yield file


def _goes_in(file: Path) -> bool:
    """Caches of tools and secrets do not."""
    return "secrets" not in file.parts and not any(part.startswith(".") for part in file.parts)


def _label(image: str) -> str | None:
    """None when there is no such image."""
    form = f'{{{{index .Config.Labels "{LABEL}"}}}}'
    done = subprocess.run(
        ["docker", "image", "inspect", "--format", form, image], capture_output=True, text=True
    )
    return done.stdout.strip() if done.returncode == 0 else None

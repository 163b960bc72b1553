"""The jars of Kafka and Zipkin: pinned by SHA-256, checked before every use, fetched when wrong."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from fusebox.core.errors import Fault
from fusebox.core.files import locked, sha256_of

FETCHES_AT_ONCE = 4
TIMEOUT_SECONDS = 30
# What jgo and the requests below it raise when a file cannot be had.
FETCH_ERRORS = (OSError, RuntimeError)

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Jar:
    """One line of `jars.lock`; `coordinates` are group:artifact:version[:classifier]."""

    used_by: str
    coordinates: str
    file: str
    sha256: str

    def line(self) -> str:
        return f"{self.used_by} {self.coordinates} {self.file} {self.sha256}"


def jar_folder() -> Path:
    """They live and die with the virtual environment that holds the JVM which runs them."""
    return Path(sys.prefix) / "share" / "fusebox" / "java"


def read_lock(path: Path) -> list[Jar]:
    lines = (line.strip() for line in path.read_text().splitlines())
    return [_jar(line, path) for line in lines if line and not line.startswith("#")]


def _jar(line: str, path: Path) -> Jar:
    fields = line.split()
    if len(fields) != 4 or len(fields[3]) != 64 or "/" in fields[2]:
        raise Fault(f"{path.name} has a line that is no jar: {line!r}", where=f"in {path}")
    return Jar(*fields)


def ensure(jars: Iterable[Jar], folder: Path, progress: Progress) -> None:
    """Have every jar in `folder` with its pinned content; `progress` hears (done, of) jars."""
    jars = list(jars)
    if not unsound(jars, folder):
        return
    _make_writable(folder)
    with locked(folder / ".lock"):
        # Another stack may have fetched them while this one waited for the lock.
        _fetch_all(unsound(jars, folder), folder, progress)


def unsound(jars: Iterable[Jar], folder: Path) -> list[Jar]:
    with ThreadPoolExecutor(2) as pool:
        listed = list(jars)
        sound = pool.map(lambda jar: is_sound(jar, folder), listed)
        return [jar for jar, right in zip(listed, sound, strict=True) if not right]


def is_sound(jar: Jar, folder: Path) -> bool:
    path = folder / jar.file
    return path.is_file() and sha256_of(path) == jar.sha256


def _make_writable(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Fault(f"cannot make {folder}: {error.strerror}", remedy=_OWN_CLONE) from error
    if not os.access(folder, os.W_OK):
        raise Fault(f"the jars have to be fetched, and {folder} is read-only", remedy=_OWN_CLONE)


_OWN_CLONE = "run the first `make up` as the user who owns the virtual environment."


def _fetch_all(jars: list[Jar], folder: Path, progress: Progress) -> None:
    progress(0, len(jars))
    for left in folder.glob(".fetch-*"):
        shutil.rmtree(left)
    with (
        tempfile.TemporaryDirectory(prefix=".fetch-", dir=folder) as scratch,
        ThreadPoolExecutor(FETCHES_AT_ONCE) as pool,
    ):
        fetched = pool.map(lambda jar: _fetch(jar, folder, Path(scratch)), jars)
        for count, _ in enumerate(fetched, start=1):
            progress(count, len(jars))


def _fetch(jar: Jar, folder: Path, scratch: Path) -> None:
    path = download(jar.coordinates, scratch)
    actual = sha256_of(path)
    if actual != jar.sha256:
        raise Fault(
            f"{jar.file} came with another content than the one pinned in jars.lock",
            where=f"pinned {jar.sha256}\nfound  {actual}",
            remedy="try again; if it stays so, the network or a mirror changes files on their way.",
        )
    path.replace(folder / jar.file)


def download(coordinates: str, scratch: Path) -> Path:
    """Fetch one jar into `scratch`, a Maven repository of ours, never the user's."""
    from jgo.maven import MavenContext

    group, artifact, version, *classifier = coordinates.split(":")
    context = MavenContext(repo_cache=scratch, timeout=TIMEOUT_SECONDS)
    component = context.project(group, artifact).at_version(version)
    kind = classifier[0] if classifier else ""
    try:
        return component.artifact(kind, "jar").resolve()
    except FETCH_ERRORS as error:
        raise Fault(
            f"cannot fetch {coordinates}: {type(error).__name__}",
            remedy="see whether this machine reaches Maven Central (a proxy is taken from "
            "HTTPS_PROXY), then run it again; what was fetched is kept.",
        ) from error

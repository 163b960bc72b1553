"""Renews `jars.lock`: resolves the pinned versions and writes down every jar's SHA-256."""

from __future__ import annotations

import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from fusebox.core.files import sha256_of, write_whole
from fusebox.native.jars import FETCHES_AT_ONCE, Jar, download

KAFKA = "org.apache.kafka:kafka_2.13:4.3.1"
# Kafka logs through slf4j 1.7 and brings no back end; this one costs neither time nor memory.
KAFKA_LOG = "org.slf4j:slf4j-simple:1.7.36"
# As a dependency Zipkin's server resolves to far more: the slim jar holds all it needs.
ZIPKIN = "io.zipkin:zipkin-server:3.6.1:slim"
HEADER = "# Made by `fusebox lock-jars`: who uses it, coordinates, file, SHA-256.\n"


def renew(lock: Path) -> int:
    """Write `lock` anew; returns how many jars it pins."""
    with tempfile.TemporaryDirectory(prefix="fusebox-jars-") as scratch:
        kafka = [*_resolved(KAFKA, Path(scratch)), KAFKA_LOG]
        programs = [*(("kafka", artifact) for artifact in kafka), ("zipkin", ZIPKIN)]
        with ThreadPoolExecutor(FETCHES_AT_ONCE) as pool:
            jars = list(
                pool.map(
                    lambda artifact: _pinned(artifact[0], artifact[1], Path(scratch)), programs
                )
            )
    text = "".join(f"{jar.line()}\n" for jar in sorted(jars, key=Jar.line))
    write_whole(lock, (HEADER + text).encode(), mode=0o644)
    return len(jars)


def _resolved(coordinates: str, scratch: Path) -> list[str]:
    """The coordinates of the artifact and of everything it needs at run time."""
    from jgo.maven import MavenContext
    from jgo.parse import Coordinate

    context = MavenContext(repo_cache=scratch)
    dependency = context.create_dependency(replace(Coordinate.parse(coordinates), scope="compile"))
    own, needed = context.resolver.resolve([dependency])
    used = [*own, *(artifact for artifact in needed if artifact.scope in ("compile", "runtime"))]
    return [f"{artifact.groupId}:{artifact.artifactId}:{artifact.version}" for artifact in used]


def _pinned(used_by: str, coordinates: str, scratch: Path) -> Jar:
    path = download(coordinates, scratch)
    return Jar(used_by, coordinates, path.name, sha256_of(path))

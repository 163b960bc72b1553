"""Zipkin: unpacked from its jar of jars, so that the JVM's cache can hold its classes."""

from __future__ import annotations

import shutil
import tempfile
import zipfile
from pathlib import Path

from fusebox.core.files import locked, sha256_of
from fusebox.core.stack import Stack
from fusebox.native.jars import Jar, jar_folder, read_lock
from fusebox.native.jvm import JavaProgram

CLASSES = "BOOT-INF/classes/"
CLASS_PATH_INDEX = "BOOT-INF/classpath.idx"
MANIFEST = "sha256"


def program(stack: Stack) -> JavaProgram:
    return JavaProgram(
        name="zipkin",
        main="zipkin.server.ZipkinServer",
        options=stack.native / "zipkin.jvm",
        class_path=class_path(zipkin_jar(stack), jar_folder()),
    )


def zipkin_jar(stack: Stack) -> Jar:
    return next(jar for jar in read_lock(stack.native / "jars.lock") if jar.used_by == "zipkin")


def properties(bind: str, port: int) -> list[str]:
    return [
        f"-Darmeria.ports[0].ip={bind}",
        f"-Darmeria.ports[0].port={port}",
        "-Darmeria.ports[0].protocols=http",
    ]


def command(stack: Stack) -> list[str]:
    return program(stack).command(*properties(stack.bind, stack.port("zipkin")))


def class_path(jar: Jar, folder: Path) -> tuple[Path, ...]:
    """The jars inside `jar`, unpacked beside it; unpacked again when one is not as it was."""
    unpacked = folder / Path(jar.file).stem
    if not _is_whole(unpacked, jar):
        with locked(folder / ".lock"):
            if not _is_whole(unpacked, jar):
                _unpack(folder / jar.file, jar, unpacked)
    return tuple(unpacked / name for name in _manifest(unpacked) if name != jar.file)


def _manifest(unpacked: Path) -> dict[str, str]:
    lines = (unpacked / MANIFEST).read_text().splitlines()
    return {name: digest for digest, _, name in (line.partition(" ") for line in lines)}


def _is_whole(unpacked: Path, jar: Jar) -> bool:
    try:
        expected = _manifest(unpacked)
        if expected.pop(jar.file, None) != jar.sha256:
            return False
        return all(sha256_of(unpacked / name) == digest for name, digest in expected.items())
    except FileNotFoundError:
        return False


def _unpack(source: Path, jar: Jar, target: Path) -> None:
    scratch = Path(tempfile.mkdtemp(prefix=".fetch-", dir=target.parent))
    scratch.chmod(0o755)
    with zipfile.ZipFile(source) as archive:
        names = ["classes.jar", *_extract_libraries(archive, scratch)]
        _extract_classes(archive, scratch / "classes.jar")
    lines = [f"{jar.sha256} {jar.file}", *(f"{sha256_of(scratch / name)} {name}" for name in names)]
    (scratch / MANIFEST).write_text("\n".join(lines) + "\n")
    shutil.rmtree(target, ignore_errors=True)
    scratch.replace(target)


def _extract_libraries(archive: zipfile.ZipFile, target: Path) -> list[str]:
    """The libraries' names in the order of the class path, each written to `target`."""
    index = archive.read(CLASS_PATH_INDEX).decode().splitlines()
    entries = [line.removeprefix("- ").strip('"') for line in index if line]
    for entry in entries:
        (target / Path(entry).name).write_bytes(archive.read(entry))
    return [Path(entry).name for entry in entries]


def _extract_classes(archive: zipfile.ZipFile, target: Path) -> None:
    """Zipkin's own classes as a jar: the JVM's cache takes no folder on the class path."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as classes:
        for entry in archive.infolist():
            if entry.filename.startswith(CLASSES) and not entry.is_dir():
                name = entry.filename.removeprefix(CLASSES)
                classes.writestr(zipfile.ZipInfo(name, entry.date_time), archive.read(entry))

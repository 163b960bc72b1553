"""Zipkin's jar of jars is unpacked whole, and again when something of it has changed."""

import hashlib
import zipfile
from pathlib import Path

import pytest

from fusebox.native.jars import Jar
from fusebox.native.zipkin import class_path

INDEX = '- "BOOT-INF/lib/second-1.jar"\n- "BOOT-INF/lib/first-1.jar"\n'


@pytest.fixture
def jar(tmp_path: Path) -> Jar:
    path = tmp_path / "server-slim.jar"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("BOOT-INF/classpath.idx", INDEX)
        archive.writestr("BOOT-INF/lib/first-1.jar", b"first")
        archive.writestr("BOOT-INF/lib/second-1.jar", b"second")
        archive.writestr("BOOT-INF/classes/zipkin/Server.class", b"class")
        archive.writestr("META-INF/MANIFEST.MF", b"")
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return Jar("zipkin", "io.zipkin:server:1:slim", path.name, digest)


def test_the_class_path_is_the_classes_and_the_libraries_in_their_order(
    jar: Jar, tmp_path: Path
) -> None:
    entries = class_path(jar, tmp_path)

    assert [path.name for path in entries] == ["classes.jar", "second-1.jar", "first-1.jar"]
    with zipfile.ZipFile(entries[0]) as classes:
        assert classes.namelist() == ["zipkin/Server.class"]


def test_what_is_whole_is_not_unpacked_again(jar: Jar, tmp_path: Path) -> None:
    before = [path.stat().st_ino for path in class_path(jar, tmp_path)]

    assert [path.stat().st_ino for path in class_path(jar, tmp_path)] == before


def test_a_library_that_has_changed_is_unpacked_again(jar: Jar, tmp_path: Path) -> None:
    library = class_path(jar, tmp_path)[1]
    library.write_bytes(b"half")

    assert class_path(jar, tmp_path)[1].read_bytes() == b"second"


def test_another_version_of_the_jar_is_unpacked_again(jar: Jar, tmp_path: Path) -> None:
    manifest = class_path(jar, tmp_path)[0].parent / "sha256"
    manifest.write_text(manifest.read_text().replace(jar.sha256, "0" * 64))

    class_path(jar, tmp_path)

    assert jar.sha256 in manifest.read_text()

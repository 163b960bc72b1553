"""Plain files of a label, with placeholders filled in."""

from typing import Any

import pytest

PLAIN = "text/plain;charset=UTF-8"


@pytest.mark.parametrize(
    "path",
    [
        "/probe/dev/main/nginx.conf",
        "/probe/dev/feature(_)x/nginx.conf",
        "/probe/dev/nginx.conf?useDefaultLabel",
        "/probe/dev/nginx.conf?useDefaultLabel=true",
    ],
)
def test_a_file_is_served_with_its_placeholders_filled_in(server: Any, path: str) -> None:
    server.write("probe-dev.yml", "port: 80\n")
    server.write("nginx.conf", "listen ${port}; grün ${host:x} ${unknown}\n")

    answer = server.get(path)

    assert answer.headers["Content-Type"] == PLAIN
    assert answer.content.decode() == "listen 80; grün x ${unknown}\n"


def test_placeholders_stay_when_asked_to(server: Any) -> None:
    server.write("nginx.conf", "${port:1}")

    assert server.get("/probe/dev/main/nginx.conf?resolvePlaceholders=false").text == "${port:1}"


def test_the_file_of_the_profile_wins(server: Any) -> None:
    server.write("logback.xml", "all")
    server.write("logback-dev.xml", "dev")

    assert server.get("/probe/dev/main/logback.xml").text == "dev"
    assert server.get("/probe/prod,dev/main/logback.xml").text == "dev"
    assert server.get("/probe/prod/main/logback.xml").text == "all"


def test_a_file_in_a_subfolder_is_served(server: Any) -> None:
    (server.folder / "a" / "b").mkdir(parents=True)
    server.write("a/b/c.txt", "deep")

    assert server.get("/probe/dev/main/a/b/c.txt").text == "deep"
    assert server.get("/probe/dev/a/b/c.txt?useDefaultLabel").text == "deep"


def test_binary_files_are_served_unchanged(server: Any) -> None:
    (server.folder / "key.bin").write_bytes(b"\xff\x00${a:b}")

    answer = server.get("/probe/dev/main/key.bin", Accept="application/octet-stream")

    assert answer.headers["Content-Type"] == "application/octet-stream"
    assert answer.content == b"\xff\x00${a:b}"


@pytest.mark.parametrize("accept", ["*/*", "application/octet-stream"])
@pytest.mark.parametrize(
    "path",
    [
        "/probe/dev/main/unknown.txt",
        "/probe/dev/main/folder",
        "/probe/dev/main/link.txt",
        "/probe/dev/main/linked/secret.txt",
        "/probe/dev/unknown.txt?useDefaultLabel",
    ],
)
def test_a_file_outside_the_folder_is_not_found(server: Any, path: str, accept: str) -> None:
    outside = server.folder.parent / f"{server.folder.name}-outside"
    outside.mkdir()
    (outside / "secret.txt").write_text("secret")
    (server.folder / "folder").mkdir()
    (server.folder / "link.txt").symlink_to(outside / "secret.txt")
    (server.folder / "linked").symlink_to(outside)

    answer = server.get(path, Accept=accept)

    assert (answer.status_code, answer.content) == (404, b"")


def test_a_file_that_is_too_long_is_reported(server: Any) -> None:
    (server.folder / "large.txt").write_bytes(b"x" * 10_000_000)

    answer = server.get("/probe/dev/main/large.txt")

    assert answer.status_code == 500
    assert "large.txt: longer than" in answer.json()["message"]

"""What a shop of containers is made from: secrets handed out, images that fit the sources."""

import stat
from pathlib import Path

from fusebox.core.secrets import SIGNING_KEY
from fusebox.docker import images, secrets


def test_each_reader_gets_its_own_secrets_and_no_other(tmp_path: Path) -> None:
    secrets.hand_out(tmp_path / "handed")

    for reader, names in secrets.READERS.items():
        assert {file.name for file in (tmp_path / "handed" / reader).iterdir()} == set(names)
    assert stat.S_IMODE((tmp_path / "handed").stat().st_mode) == 0o700
    key = (tmp_path / "handed" / "ops" / SIGNING_KEY).read_bytes()
    assert key == (tmp_path / "handed" / "user-service" / SIGNING_KEY).read_bytes()


def test_secrets_that_are_there_stay_and_go_where_they_lack(tmp_path: Path) -> None:
    handed, own = tmp_path / "handed", tmp_path / "secrets"
    own.mkdir()
    (own / "admin-password").write_bytes(b"native")
    (handed / "postgres").mkdir(parents=True)
    (handed / "postgres" / "postgres-password").write_bytes(b"composed")

    secrets.hand_out(handed, own)
    first = {file: file.read_bytes() for file in tmp_path.rglob("*") if file.is_file()}
    secrets.hand_out(handed, own)

    assert (handed / "ops" / "admin-password").read_bytes() == b"native"
    assert (handed / "ops" / "postgres-password").read_bytes() == b"composed"
    assert (own / "postgres-password").read_bytes() == b"composed"
    assert {file: file.read_bytes() for file in first} == first


def test_removed_secrets_leave_the_folders_of_a_fresh_clone(tmp_path: Path) -> None:
    secrets.hand_out(tmp_path)

    secrets.remove(tmp_path)

    assert sorted(file.name for file in tmp_path.iterdir()) == sorted(secrets.READERS)
    assert not any(file.is_file() for file in tmp_path.rglob("*"))


def test_the_digest_of_the_sources_changes_with_them_and_not_with_secrets(tmp_path: Path) -> None:
    (tmp_path / "gateway").mkdir()
    (tmp_path / "deploy" / "docker" / "secrets").mkdir(parents=True)
    (tmp_path / "gateway" / "app.py").write_text("1")
    first = images.sources_digest(tmp_path)

    (tmp_path / "deploy" / "docker" / "secrets" / "admin-password").write_text("x")
    (tmp_path / "gateway" / ".mypy_cache").mkdir()
    (tmp_path / "gateway" / ".mypy_cache" / "missing_stubs").write_text("x")
    assert images.sources_digest(tmp_path) == first

    (tmp_path / "gateway" / "app.py").write_text("2")
    assert images.sources_digest(tmp_path) != first

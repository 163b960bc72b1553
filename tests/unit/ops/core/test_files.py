"""Files that are whole, secrets that are private."""

import json
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from fusebox.core import secrets
from fusebox.core.files import locked, write_whole
from fusebox.core.stack import Stack
from fusebox.core.topology import IDENTITIES, SERVICE_KEYS, SERVICES
from fusebox.state import stamps


def test_a_file_is_replaced_whole_and_private(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    write_whole(path, b"old")
    write_whole(path, b"new")

    assert path.read_bytes() == b"new"
    assert path.stat().st_mode & 0o777 == 0o600
    assert [file.name for file in tmp_path.iterdir()] == ["secret"]


def test_a_lock_that_is_held_is_not_given_twice(tmp_path: Path) -> None:
    with locked(tmp_path / "lock") as first, locked(tmp_path / "lock", wait=False) as second:
        assert (first, second) == (True, False)


def test_secrets_are_made_once(stack: Stack) -> None:
    stack.make_folders()
    secrets.make_missing(stack)
    before = secrets.secret(stack, "admin-password")
    secrets.make_missing(stack)

    assert secrets.secret(stack, "admin-password") == before
    made = {path.name: path.read_bytes() for path in stack.secrets.iterdir()}
    assert made.keys() == {*secrets.NAMES, SERVICE_KEYS}
    assert len(set(made.values())) == len(made)


def test_a_home_of_an_earlier_version_gets_what_it_lacks_and_keeps_what_it_has(
    stack: Stack,
) -> None:
    stack.make_folders()
    secrets.make_missing(stack)
    kept = {name: secrets.secret(stack, name) for name in ("admin-password", "encrypt-key")}
    for path in stack.secrets.iterdir():
        if path.name not in kept:
            path.unlink()

    secrets.make_missing(stack)

    assert {path.name for path in stack.secrets.iterdir()} == {*secrets.NAMES, SERVICE_KEYS}
    assert {name: secrets.secret(stack, name) for name in kept} == kept
    assert {path.stat().st_mode & 0o777 for path in stack.secrets.iterdir()} == {0o600}


def test_every_process_has_the_public_key_of_each_and_hears_whom_that_one_may_call(
    stack: Stack,
) -> None:
    stack.make_folders()
    secrets.make_missing(stack)

    keys = json.loads((stack.secrets / SERVICE_KEYS).read_text())["keys"]

    calls = {key["sub"]: set(key["aud"]) for key in keys}
    assert set(calls) == set(IDENTITIES)
    assert "d" not in {member for key in keys for member in key}
    assert {"catalog-service", "user-service", "config-server", "discovery"} == calls[
        "order-service"
    ]
    assert calls["gateway"] >= {part.name for part in SERVICES}


def test_the_signing_key_is_for_es256(stack: Stack) -> None:
    stack.make_folders()
    secrets.make_missing(stack)

    key = load_pem_private_key((stack.secrets / secrets.SIGNING_KEY).read_bytes(), None)

    assert isinstance(key, ec.EllipticCurvePrivateKey)
    assert isinstance(key.curve, ec.SECP256R1)


def test_what_was_done_is_remembered_until_its_store_is_made_anew(stack: Stack) -> None:
    stack.make_folders()
    stamps.remember(stack, "topics", "1")

    assert stamps.is_done(stack, "topics", "1")
    assert not stamps.is_done(stack, "topics", "2")
    stamps.forget(stack, "topics", "databases")
    assert not stamps.is_done(stack, "topics", "1")

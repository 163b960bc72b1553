"""Files that are whole, secrets that are private, logs that are found."""

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from fusebox.core import logs, secrets
from fusebox.core.errors import Fault
from fusebox.core.files import locked, write_whole
from fusebox.core.stack import Stack
from fusebox.core.topology import SERVICE_KEYS
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


@pytest.mark.parametrize("count", [0, 1, 3, 9])
def test_the_last_lines_of_a_log_are_found(tmp_path: Path, count: int) -> None:
    log = tmp_path / "a.log"
    log.write_text("".join(f"line {n}\n" for n in range(5)))

    assert logs.last_lines(log, count) == [f"line {n}" for n in range(5)][5 - min(count, 5) :]


def test_the_last_lines_of_a_long_log_are_found_without_reading_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logs, "BLOCK_BYTES", 10)
    log = tmp_path / "a.log"
    log.write_text("".join(f"line {n}\n" for n in range(50)))

    assert logs.last_lines(log, 2) == ["line 48", "line 49"]


def test_the_logs_of_a_part_are_those_of_its_instances(tmp_path: Path) -> None:
    for name in ("order-service-1", "order-service-2", "order-service-prepare", "kafka-1"):
        (tmp_path / f"{name}.log").touch()

    stems = [log.stem for log in logs.logs_of(tmp_path, "order-service")]

    assert stems == ["order-service-1", "order-service-2"]


def test_a_log_is_followed_over_its_rotation(tmp_path: Path) -> None:
    log = tmp_path / "kafka-1.log"
    log.write_text("before\n")
    followed = logs.Followed.at_end(log)
    with log.open("a") as file:
        file.write("one\ntw")
    first = list(followed.new_lines())
    log.rename(tmp_path / "kafka-1.log.1")
    log.write_text("three\n")
    rest = [*followed.new_lines(), *followed.new_lines()]
    followed.file.close()

    assert first == ["one"]
    assert rest[-1].endswith("three")


def test_without_logs_the_fault_says_how_to_get_some(tmp_path: Path) -> None:
    with pytest.raises(Fault, match="no logs of kafka"):
        logs.logs_of(tmp_path, "kafka")

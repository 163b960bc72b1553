"""The logs of a stack are found, read from their ends, and followed over a rotation."""

from pathlib import Path

import pytest

from fusebox.core.errors import Fault
from fusebox.logs import files


@pytest.mark.parametrize("count", [0, 1, 3, 9])
def test_the_last_lines_of_a_log_are_found(tmp_path: Path, count: int) -> None:
    log = tmp_path / "a.log"
    log.write_text("".join(f"line {n}\n" for n in range(5)))

    assert files.last_lines(log, count) == [f"line {n}" for n in range(5)][5 - min(count, 5) :]


def test_the_last_lines_of_a_long_log_are_found_without_reading_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "BLOCK_BYTES", 10)
    log = tmp_path / "a.log"
    log.write_text("".join(f"line {n}\n" for n in range(50)))

    assert files.last_lines(log, 2) == ["line 48", "line 49"]


def test_the_logs_of_a_part_are_those_of_its_instances(tmp_path: Path) -> None:
    for name in ("order-service-1", "order-service-2", "order-service-prepare", "kafka-1"):
        (tmp_path / f"{name}.log").touch()

    stems = [log.stem for log in files.logs_of(tmp_path, "order-service")]

    assert stems == ["order-service-1", "order-service-2"]


def test_a_log_is_followed_over_its_rotation(tmp_path: Path) -> None:
    log = tmp_path / "kafka-1.log"
    log.write_text("before\n")
    followed = files.Followed.at_end(log)
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
        files.logs_of(tmp_path, "kafka")

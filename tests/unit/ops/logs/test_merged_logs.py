"""The logs of all processes as one, in the order of time."""

import os
import time
from contextlib import closing
from datetime import datetime
from pathlib import Path

import pytest

from fusebox.logs import merged as merged_logs
from fusebox.logs.merged import stamp

PYTHON = "2026-11-28 08:11:36,263 INFO    [tokens] chassis.web.auth: hello"
KAFKA = "2026-11-28 08:11:36.500 [main] INFO kafka.server.KafkaRaftServer - started"
ZIPKIN = "2026-11-28 08:11:37:100 [main] INFO Server - Serving HTTP"
SUPERVISOR = "2026-11-28 08:11:35,080 INFO Set uid to user 0 succeeded"
AT = datetime(2026, 11, 28, 8, 11, 36).timestamp()


def written(folder: Path, **logs: list[str]) -> list[Path]:
    paths = [folder / f"{name.replace('_', '-')}.log" for name in logs]
    for path, lines in zip(paths, logs.values(), strict=True):
        path.write_text("".join(f"{line}\n" for line in lines))
    return paths


@pytest.mark.parametrize(
    ("line", "seconds"),
    [(PYTHON, 0.263), (KAFKA, 0.5), (ZIPKIN, 1.1), (SUPERVISOR, -0.92), (f"[{KAFKA}", 0.5)],
)
def test_the_time_of_a_line_is_read_however_it_is_written(line: str, seconds: float) -> None:
    assert stamp(line) == pytest.approx(AT + seconds)


@pytest.mark.parametrize(
    "line", ["", "WARNING: sun.misc.Unsafe", "  at 2026-11-28 08:11:36", "2026-99-28 08:11:36"]
)
def test_a_line_without_a_time_has_none(line: str) -> None:
    assert stamp(line) is None


def test_a_time_that_says_utc_is_not_taken_for_a_local_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    try:
        utc = stamp("2026-11-28 08:10:32.763 UTC [19197] LOG:  starting PostgreSQL")
        assert utc == stamp("2026-11-28 17:10:32,763 INFO    [MainThread] the same moment")
    finally:
        monkeypatch.undo()
        time.tzset()


def test_the_last_lines_of_all_logs_come_in_the_order_of_time(tmp_path: Path) -> None:
    paths = written(
        tmp_path, a_1=[PYTHON, KAFKA], zipkin_1=["WARNING: old", "WARNING: older", ZIPKIN]
    )

    lines = merged_logs.last(paths, 4)

    assert [line.text for line in lines] == [KAFKA, "WARNING: old", "WARNING: older", ZIPKIN]
    assert [line.name for line in lines] == ["a-1", "zipkin-1", "zipkin-1", "zipkin-1"]
    assert merged_logs.last(paths, 0) == []


def test_the_warnings_of_a_start_are_as_old_as_the_start(tmp_path: Path) -> None:
    paths = written(tmp_path, zipkin_1=["WARNING: a", SUPERVISOR, ZIPKIN], a_1=[PYTHON])

    assert [line.text for line in merged_logs.last(paths, 2)] == [PYTHON, ZIPKIN]


def test_a_traceback_stays_with_its_line_and_a_log_without_times_is_as_old_as_its_file(
    tmp_path: Path,
) -> None:
    paths = written(tmp_path, a_1=[PYTHON, "Traceback", "  raise"], b_1=[KAFKA], c_1=["formatted"])
    os.utime(paths[2], (AT - 60, AT - 60))

    texts = [line.text for line in merged_logs.last(paths, 9)]

    assert texts == ["formatted", PYTHON, "Traceback", "  raise", KAFKA]


def test_what_is_written_from_now_on_is_followed_in_the_order_of_time(tmp_path: Path) -> None:
    first, second = written(tmp_path, a_1=["before"], b_1=["before"])
    with closing(merged_logs.follow([first, second])) as lines:
        with first.open("a") as file:
            file.write(f"{ZIPKIN}\n")
        with second.open("a") as file:
            file.write(f"{PYTHON}\n")

        assert [next(lines).text, next(lines).text] == [PYTHON, ZIPKIN]

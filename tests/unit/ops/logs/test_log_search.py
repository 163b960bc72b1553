"""One request's lines are found among all logs, and whoever filters sees what was asked for."""

import json
import re
from pathlib import Path

import pytest

from fusebox.logs import search
from fusebox.logs.event import LEVELS, as_event, event_of, level_of
from fusebox.logs.merged import LogLine, stamp
from fusebox.logs.query import LogQuery

TRACE, OTHER = "463ac35c9f6413ad48485a3953bb6124", "f" * 32
ORDER = "0198c5a2-7f4e-7c3a-9b1d-2f6d3c1e8a55"


def line(at: int, message: str, **fields: str) -> str:
    names = {name.replace("_", "."): value for name, value in fields.items()}
    moment = f"2026-11-28T08:00:{at:02d}.000Z"
    return json.dumps(
        {"@timestamp": moment, "log.level": "info", "message": message, **names},
        separators=(",", ":"),
    )


def logs(folder: Path, **texts: list[str]) -> list[Path]:
    for name, lines in texts.items():
        (folder / f"{name}.log").write_text("".join(f"{one}\n" for one in lines))
    return sorted(folder.glob("*.log"))


def messages(lines: list[LogLine]) -> list[str]:
    return [str(as_event(one.name, one.at, one.text)["message"]) for one in lines]


def test_the_lines_of_a_trace_come_from_all_logs_in_the_order_of_time(tmp_path: Path) -> None:
    paths = logs(
        tmp_path,
        gateway=[line(1, "in", trace_id=TRACE), line(2, "another", trace_id=OTHER)],
        orders=[line(3, "placed", trace_id=TRACE)],
        catalog=[line(2, "asked", trace_id=TRACE)],
        empty=[],
    )

    story = search.story_of(paths, [TRACE])

    assert messages(story) == ["in", "asked", "placed"]
    assert [one.name for one in story] == ["gateway", "catalog", "orders"]


def test_an_order_leads_to_its_request_and_to_its_messages(tmp_path: Path) -> None:
    paths = logs(
        tmp_path,
        gateway=[line(1, "in", trace_id=TRACE), line(9, "not of it", trace_id=OTHER)],
        orders=[line(3, "placed", order_id=ORDER, trace_id=TRACE)],
        catalog=[line(4, "taken", order_id=ORDER)],
    )

    assert messages(search.story_of(paths, [ORDER])) == ["in", "placed", "taken"]


def test_of_a_line_about_many_orders_only_the_one_asked_for_leads_further(tmp_path: Path) -> None:
    together = {
        "@timestamp": "2026-11-28T08:00:02.000Z",
        "message": f"order {ORDER} placed; order 7 placed",
        "order.id": [ORDER, "7"],
        "trace.id": [TRACE, OTHER],
    }
    paths = logs(
        tmp_path,
        gateway=[line(1, "in", trace_id=TRACE), line(3, "of another", trace_id=OTHER)],
        orders=[json.dumps(together)],
    )

    assert messages(search.story_of(paths, [ORDER])) == ["in", together["message"]]


def test_a_line_that_was_rotated_away_is_still_there(tmp_path: Path) -> None:
    (tmp_path / "orders.log.1").write_text(line(1, "old", trace_id=TRACE) + "\n")
    paths = logs(tmp_path, orders=[line(2, "new", trace_id=TRACE)])

    story = search.story_of(paths, [TRACE])

    assert messages(story) == ["old", "new"]
    assert {one.name for one in story} == {"orders"}


def test_a_line_that_names_an_id_twice_or_has_no_end_comes_once(tmp_path: Path) -> None:
    (tmp_path / "orders.log").write_text(line(1, f"of {ORDER}", order_id=ORDER))

    assert len(search.story_of([tmp_path / "orders.log"], [ORDER])) == 1


def test_bytes_that_are_no_text_hide_nothing(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_bytes(b"\xff\xfe\x00 " + TRACE.encode() + b"\n")

    assert len(search.containing([tmp_path / "a.log"], [TRACE])) == 1


@pytest.mark.parametrize(
    ("text", "level"),
    [
        (line(1, "error in the message alone"), "info"),
        ("2026-11-28 08:11:36.500 [main] WARN kafka.server - error", "warn"),
        ("2026-11-28 08:10:32.763 UTC [19197] LOG:  starting PostgreSQL", "info"),
        ("2026-11-28 08:10:32.763 UTC [19197] FATAL:  no", "fatal"),
        ("2026-11-28 08:11:35,080 CRIT Set uid", None),
        ("    at java.lang.Thread.run(Thread.java)", None),
    ],
)
def test_a_level_is_read_however_it_is_written(text: str, level: str | None) -> None:
    assert level_of(text, event_of(text)) == (LEVELS[level] if level else None)


@pytest.mark.parametrize(
    ("query", "taken"),
    [
        (LogQuery(), True),
        (LogQuery(level=LEVELS["info"]), True),
        (LogQuery(level=LEVELS["warn"]), False),
        (LogQuery(pattern=re.compile("pla.ed")), True),
        (LogQuery(pattern=re.compile("^placed")), False),
        (LogQuery(since=(stamp(line(3, "")) or 0) - 1), True),
        (LogQuery(since=(stamp(line(3, "")) or 0) + 1), False),
    ],
)
def test_what_does_not_match_is_left_out(query: LogQuery, taken: bool) -> None:
    text = line(3, "placed")

    assert query.takes(LogLine(stamp(text) or 0.0, "orders", text)) is taken


def test_half_an_event_is_a_line_like_any_other() -> None:
    half = line(1, "cut")[:40]

    assert event_of(half) is None
    assert as_event("orders-1", 0.0, half)["message"] == half

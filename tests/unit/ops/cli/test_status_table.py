"""The table of `status` fits the terminal and says what is not as usual."""

import io
from dataclasses import replace

import pytest
from rich.console import Console

from fusebox.cli import doctor, status_table, up
from fusebox.core.stack import Stack
from fusebox.operations import status
from fusebox.operations.status import ShopStatus, StatusRow
from fusebox.runtime.actuator_client import BreakerState

HEALTHY = StatusRow(
    "order-service", "order-service-1", "RUNNING", healthy=True, pid=4_194_303, port=32_767
)
OPEN = BreakerState("catalog-service", "OPEN", 5, 7.6, "2026-11-28T08:11:03.123Z")
REFUSED = {"configuration": "fusebox.breaker.fail-max: no number (in /clone/config/gateway.yml)"}


def shown(*rows: StatusRow, width: int = 80, colour: bool = False) -> str:
    file = io.StringIO()
    console = Console(
        file=file, width=width, force_terminal=colour, no_color=not colour, highlight=False
    )
    status_table.show(ShopStatus(list(rows)), console)
    return file.getvalue()


def test_the_columns_are_aligned_and_the_reason_is_said() -> None:
    ill = replace(HEALTHY, instance="kafka-1", healthy=False, reason="does not answer")
    lines = shown(HEALTHY, ill).splitlines()

    assert (
        len({line.index(word) for line, word in zip(lines, ("state", "run", "run"), strict=False)})
        == 1
    )
    assert "no: does not answer" in lines[2]
    assert lines[-1] == "memory of all: 0 MB"


@pytest.mark.parametrize("width", [80, 120, 200])
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    row = replace(
        HEALTHY,
        instance="catalog-service-12",
        memory=1_200_000_000,
        breaker_details=[OPEN],
        faults=["slow 60000 ms", "paused"],
        problems={"configuration": "x" * 300},
        canary="0.2.0-canary",
        weight="20",
        outbox=123_456,
    )

    assert max(map(len, shown(row, width=width).splitlines())) <= width


def test_what_is_not_as_usual_is_said_and_the_rest_is_not() -> None:
    closed = BreakerState("user-service", "CLOSED")
    row = replace(
        HEALTHY,
        breaker_details=[OPEN, closed],
        faults=["fail 25 %"],
        canary="2",
        weight="20",
        outbox=12,
    )

    text = shown(row, width=200)

    assert "breaker catalog-service OPEN since" in text
    assert "5 failed, next trial in 8 s" in text
    assert "on purpose: fail 25 %" in text
    assert "canary 2, 20 % of the calls" in text
    assert "outbox: 12 events wait" in text
    assert "CLOSED" not in text


def test_what_several_refuse_is_said_once() -> None:
    reason = "fusebox.breaker.fail-max: no number"
    rows = [
        StatusRow(
            name,
            f"{name}-1",
            "RUNNING",
            healthy=True,
            problems={"configuration": f"configuration of {name}: {reason}"},
        )
        for name in ("gateway", "discovery")
    ]

    text = shown(*rows)

    assert text.count(reason) == 1
    assert "at gateway-1, discovery-1" in text


def test_a_breaker_whose_time_is_over_is_due() -> None:
    row = replace(HEALTHY, breaker_details=[replace(OPEN, seconds_to_probe=0, since="whenever")])

    assert "OPEN since whenever, 5 failed, next trial due" in shown(row, width=200)


def test_a_terminal_is_shown_colours_and_a_pipe_none() -> None:
    row = replace(HEALTHY, breaker_details=[OPEN])

    assert "\x1b[" in shown(row, colour=True)
    assert "\x1b[" not in shown(row)


KAFKA_KILLED = StatusRow("kafka", "kafka-1", "STOPPED", healthy=False, faults=["killed"])
STARTING = StatusRow("zipkin", "zipkin-1", "STARTING", healthy=False, reason="does not answer")
ILL = replace(HEALTHY, healthy=False, reason="does not answer")


@pytest.mark.parametrize(
    ("rows", "as_meant"),
    [
        ([HEALTHY], True),
        ([HEALTHY, KAFKA_KILLED], True),
        ([replace(HEALTHY, faults=["slow 300 ms"])], True),
        ([replace(HEALTHY, problems={"consumer": "Kafka is away"}), KAFKA_KILLED], True),
        ([replace(ILL, problems={"consumer": "Kafka is away"}), KAFKA_KILLED], True),
        ([replace(HEALTHY, problems={"consumer": "Kafka is away"})], False),
        ([replace(ILL, problems={"db": "PostgreSQL is away"}), KAFKA_KILLED], False),
        ([ILL], False),
        ([ILL, KAFKA_KILLED], False),
        ([replace(HEALTHY, problems=REFUSED), KAFKA_KILLED], False),
        ([HEALTHY, STARTING], True),
        ([STARTING, replace(ILL, problems={"db": "PostgreSQL is away"})], False),
        ([], False),
    ],
)
def test_only_what_was_not_done_on_purpose_is_an_error(
    rows: list[StatusRow], as_meant: bool
) -> None:
    assert ShopStatus(rows).is_as_meant == as_meant


def test_what_the_shop_does_without_may_still_be_starting(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = ShopStatus([HEALTHY, STARTING])
    monkeypatch.setattr(status, "read", lambda _: shop)

    assert shop.healthy
    up.refuse_dead(shop)
    assert "starting" in shown(STARTING, width=120)
    assert "not yet: the shop does without it" in shown(STARTING, width=120)
    checks = {check.name: check for check in doctor._health(stack, running=True)}
    assert checks["zipkin-1"].right
    assert "is starting" in checks["zipkin-1"].finding


def test_a_refused_configuration_is_told_by_status_and_doctor(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = replace(HEALTHY, problems=REFUSED)
    monkeypatch.setattr(status, "read", lambda _: ShopStatus([row]))

    checks = list(doctor._health(stack, running=True))

    assert not all(check.right for check in checks)
    for text in (shown(row, width=200), "\n".join(check.finding for check in checks)):
        assert "fusebox.breaker.fail-max: no number (in /clone/config/gateway.yml)" in text

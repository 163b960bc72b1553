"""Retry: what is asked again, and after which pause."""

from typing import Any

import pytest

from gateway.routing import route_definitions
from gateway.routing.filters.retry import RetryBackoff, RetryFilter


def retry(filter_: Any) -> RetryFilter:
    entry = {"id": "r", "uri": "lb://x", "predicates": ["Path=/**"], "filters": [filter_]}
    return route_definitions.parse([entry])[0].retry


def long(**args: Any) -> RetryFilter:
    return retry({"name": "Retry", "args": args})


def test_springs_own_example_is_read() -> None:
    filtered = long(
        retries=3,
        statuses="BAD_GATEWAY",
        methods=["GET", "PUT"],
        backoff={
            "firstBackoff": "10ms",
            "maxBackoff": "50ms",
            "factor": 2,
            "basedOnPreviousValue": False,
        },
    )

    assert filtered == retry("Retry=3,BAD_GATEWAY,GET,PUT,10ms,50ms,2,false")
    assert [filtered.pause(tried) for tried in range(4)] == [0.01, 0.02, 0.04, 0.05]
    assert filtered.statuses == {502}


def test_without_statuses_every_5xx_is_asked_again() -> None:
    assert retry("Retry=2").statuses == set(range(500, 600))
    assert long(series="CLIENT_ERROR, SERVER_ERROR").statuses == set(range(400, 600))
    assert long(series="CLIENT_ERROR", statuses=502).statuses == {*range(400, 500), 502}
    assert long(series=[]).statuses == set()


def test_exceptions_say_whether_a_lost_connection_is_one() -> None:
    assert long(exceptions="java.io.IOException").may(0, "GET")
    assert long(exceptions=["java.net.ConnectException", "a.b.TimeoutException"]).may(0, "GET")
    assert not long(exceptions="java.util.concurrent.TimeoutException").may(0, "GET")


@pytest.mark.parametrize(("retry", "pause"), [(0, 0.005), (3, 0.04), (10_000, 3.0)])
def test_a_pause_grows_up_to_its_longest(retry: int, pause: float) -> None:
    assert RetryBackoff(0.005, 3.0).before(retry) == pytest.approx(pause)


@pytest.mark.parametrize(
    ("args", "said"),
    [
        ({"series": "ODD"}, "series: 'ODD' is unknown (known: INFORMATIONAL"),
        ({"exceptions": "com.x.Oops"}, "exceptions: 'Oops' is unknown"),
        ({"backoff": {"firstBackoff": "soon"}}, "backoff.firstBackoff: 'soon' is not a duration"),
        ({"backoff": {"factor": 0}}, "backoff.factor: '0' is not a whole number of at least 1"),
        ({"backoff": {"first": "1s"}}, "backoff.first: is unknown (known: retries"),
    ],
)
def test_what_is_wrong_is_said(args: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match="'Retry'") as refused:
        long(**args)

    assert said in str(refused.value)

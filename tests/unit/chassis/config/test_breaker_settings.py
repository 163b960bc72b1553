"""The names and values under which a breaker is configured."""

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from chassis.config.breaker_settings import BreakerSettings, seconds
from chassis.config.properties import to_tree
from chassis.config.settings import Settings

INSTANCE = "resilience4j.circuitbreaker.instances.order-service."
DEFAULT = "resilience4j.circuitbreaker.configs.default."
OURS = "fusebox.breaker."


def settings_of(name: str, **flat: Any) -> BreakerSettings:
    settings = Settings.model_validate(to_tree(flat))
    return settings.resilience4j.settings_of(name, settings.fusebox.breaker)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("60s", 60),
        ("500ms", 0.5),
        (500, 0.5),
        ("500", 0.5),
        ("2m", 120),
        ("1.5s", 1.5),
        ("PT1M30S", 90),
        (" 3 s ", 3),
        ("1h", 3600),
    ],
)
def test_a_duration_is_written_as_in_spring(text: object, expected: float) -> None:
    assert seconds(text) == pytest.approx(expected)


@pytest.mark.parametrize("text", ["", "soon", "s", "-1s", "1 fortnight", "1e3", "P", True, None])
def test_what_is_no_duration_is_refused_with_an_example(text: object) -> None:
    with pytest.raises(ValueError, match="500ms, 60s or 1m"):
        seconds(text)


@given(st.one_of(st.text(), st.integers(), st.floats(), st.none(), st.lists(st.integers())))
def test_any_value_is_a_duration_or_refused(value: object) -> None:
    with suppress(ValueError):
        assert seconds(value) >= 0


@pytest.mark.parametrize("prefix", [INSTANCE, DEFAULT, OURS])
def test_each_property_is_read_under_each_of_its_names(prefix: str) -> None:
    settings = settings_of(
        "order-service",
        **{
            f"{prefix}sliding-window-type": "time_based",
            f"{prefix}sliding-window-size": 30,
            f"{prefix}minimum-number-of-calls": 7,
            f"{prefix}failure-rate-threshold": 12.5,
            f"{prefix}slow-call-rate-threshold": 80,
            f"{prefix}slow-call-duration-threshold": "250ms",
            f"{prefix}wait-duration-in-open-state": "5s",
            f"{prefix}permitted-number-of-calls-in-half-open-state": 3,
        },
    )

    assert settings.sliding_window_type == "TIME_BASED"
    assert (settings.sliding_window_size, settings.calls_to_judge) == (30, 7)
    assert (settings.failure_rate_threshold, settings.slow_call_rate_threshold) == (12.5, 80)
    assert (settings.slow_call_duration_threshold, settings.wait_seconds) == (0.25, 5)
    assert settings.permitted_number_of_calls_in_half_open_state == 3


def test_the_spelling_of_resilience4j_s_manual_is_read_too() -> None:
    settings = settings_of("order-service", **{f"{INSTANCE}slidingWindowSize": 8})

    assert settings.sliding_window_size == 8


def test_the_most_particular_value_wins() -> None:
    flat = {
        f"{OURS}failure-rate-threshold": 10,
        f"{OURS}fail-max": 7,
        f"{DEFAULT}failure-rate-threshold": 20,
        f"{DEFAULT}sliding-window-size": 40,
        f"{INSTANCE}sliding-window-size": 80,
    }

    particular, general = settings_of("order-service", **flat), settings_of("other", **flat)

    assert (particular.failure_rate_threshold, particular.sliding_window_size) == (20, 80)
    assert (general.failure_rate_threshold, general.sliding_window_size) == (20, 40)
    assert particular.fail_max == 7


def test_an_instance_may_name_another_base() -> None:
    flat = {
        "resilience4j.circuitbreaker.configs.strict.failure-rate-threshold": 5,
        f"{DEFAULT}failure-rate-threshold": 20,
        f"{INSTANCE}base-config": "strict",
    }

    assert settings_of("order-service", **flat).failure_rate_threshold == 5
    with pytest.raises(ValidationError, match=r"no configs\.strict"):
        settings_of("x", **{f"{INSTANCE}base-config": "strict"})


def test_a_wait_in_seconds_counts_where_it_is_the_more_particular() -> None:
    general = {f"{OURS}wait-duration-in-open-state": "60s", f"{OURS}reset-timeout-seconds": 3}

    assert settings_of("order-service", **general).wait_seconds == 60
    particular = general | {f"{INSTANCE}reset-timeout-seconds": 4}
    assert settings_of("order-service", **particular).wait_seconds == 4


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("sliding-window-type", "SOMETIMES"),
        ("sliding-window-size", 0),
        ("sliding-window-size", 10**9),
        ("failure-rate-threshold", 0),
        ("failure-rate-threshold", 100.5),
        ("failure-rate-threshold", "half"),
        ("failure-rate-threshold", "nan"),
        ("slow-call-rate-threshold", -1),
        ("slow-call-duration-threshold", "soon"),
        ("slow-call-duration-threshold", "0s"),
        ("wait-duration-in-open-state", -5),
        ("minimum-number-of-calls", 0),
        ("permitted-number-of-calls-in-half-open-state", "few"),
    ],
)
@pytest.mark.parametrize("prefix", [INSTANCE, DEFAULT, OURS])
def test_a_wrong_value_is_refused_by_its_key(prefix: str, key: str, value: object) -> None:
    with pytest.raises(ValidationError) as refused:
        settings_of("order-service", **{prefix + key: value})

    (issue,) = refused.value.errors()
    assert ".".join(map(str, issue["loc"])) == prefix + key

"""When circuit breakers open and close: Resilience4j's properties, and ours with the same words.

The most particular value wins: `resilience4j.circuitbreaker.instances.NAME`, the `configs` that it
names as its `base-config` (or `configs.default`), then `fusebox.breaker`.
"""

import re
from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    TypeAdapter,
    ValidationError,
    model_validator,
)

DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(ns|us|ms|s|m|h|d)?", re.IGNORECASE)
UNITS = {"ns": 1e-9, "us": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
ISO_DURATION = TypeAdapter(timedelta)
LONGEST_WINDOW = 100_000


def seconds(value: Any) -> float:
    """`500ms`, `60s`, `1m` or ISO's `PT1M`; a number alone is of milliseconds, as Spring has it."""
    text = str(value).strip()
    simple = DURATION.fullmatch(text)
    if simple:
        return float(simple[1]) * UNITS[(simple[2] or "ms").lower()]
    try:
        return ISO_DURATION.validate_python(text if text[:1] in ("P", "p") else "").total_seconds()
    except ValidationError as error:
        raise ValueError(f"{value!r} is not a duration such as 500ms, 60s or 1m") from error


def _constant(value: Any) -> Any:
    """Spring takes the constants of an enumeration in any spelling."""
    return value.upper().replace("-", "_") if isinstance(value, str) else value


def _relaxed(name: str) -> str:
    """Spring's relaxed binding: slidingWindowSize and sliding-window-size are one property."""
    return re.sub("[-_]", "", name).lower()


Duration = Annotated[float, BeforeValidator(seconds), Field(gt=0)]
Percent = Annotated[float, Field(gt=0, le=100)]
Calls = Annotated[int, Field(ge=1)]
WindowType = Annotated[Literal["COUNT_BASED", "TIME_BASED"], BeforeValidator(_constant)]


class _Relaxed(BaseModel):
    """Keys in any of Spring's spellings; those that nobody reads are left alone."""

    model_config = ConfigDict(
        alias_generator=lambda name: name.replace("_", "-"), populate_by_name=True, frozen=True
    )

    @model_validator(mode="before")
    @classmethod
    def _canonical(cls, values: Any) -> Any:
        if not isinstance(values, dict):
            return values
        names = {_relaxed(name): name.replace("_", "-") for name in cls.model_fields}
        return {names.get(_relaxed(str(key)), key): value for key, value in values.items()}


class BreakerSettings(_Relaxed):
    """`fail_max` failures in a row open a breaker, and so does a share of the calls in its window.

    As in Resilience4j a window of the last `sliding_window_size` calls, or of the calls of so many
    seconds, is judged from `minimum_number_of_calls` on.  Thresholds are in per cent.
    """

    fail_max: Calls = 5
    reset_timeout_seconds: Annotated[float, Field(gt=0)] = 10
    sliding_window_type: WindowType = "COUNT_BASED"
    sliding_window_size: Annotated[int, Field(ge=1, le=LONGEST_WINDOW)] = 20
    minimum_number_of_calls: Calls = 20
    failure_rate_threshold: Percent = 50
    slow_call_rate_threshold: Percent = 100
    slow_call_duration_threshold: Duration = 60
    wait_duration_in_open_state: Duration | None = None
    permitted_number_of_calls_in_half_open_state: Calls = 1
    automatic_transition_from_open_to_half_open_enabled: bool = True

    @property
    def wait_seconds(self) -> float:
        """From opening to the first trial."""
        wait = self.wait_duration_in_open_state
        return self.reset_timeout_seconds if wait is None else wait

    @property
    def calls_to_judge(self) -> int:
        """A window that never holds the minimum would never open."""
        if self.sliding_window_type == "COUNT_BASED":
            return min(self.minimum_number_of_calls, self.sliding_window_size)
        return self.minimum_number_of_calls

    @property
    def calls_of_a_trial(self) -> int:
        return self.permitted_number_of_calls_in_half_open_state

    def over(self, general: "BreakerSettings") -> "BreakerSettings":
        """What is set here, and the rest from `general`."""
        own = self.model_fields_set & BreakerSettings.model_fields.keys()
        changed = {name: getattr(self, name) for name in own}
        if "reset_timeout_seconds" in own and "wait_duration_in_open_state" not in own:
            changed["wait_duration_in_open_state"] = None
        return general.model_copy(update=changed)


class BreakerConfiguration(BreakerSettings):
    """One of resilience4j's `instances` or `configs`: what it does not set, its base does."""

    base_config: str = "default"


class CircuitBreakers(_Relaxed):
    configs: dict[str, BreakerConfiguration] = {}
    instances: dict[str, BreakerConfiguration] = {}

    @model_validator(mode="after")
    def _bases_exist(self) -> "CircuitBreakers":
        for name, instance in (*self.instances.items(), *self.configs.items()):
            base = instance.base_config
            if base != "default" and base not in self.configs:
                raise ValueError(f"{name}: base-config: there is no configs.{base}")
        return self


class Resilience4j(_Relaxed):
    circuitbreaker: CircuitBreakers = CircuitBreakers()

    def settings_of(self, name: str, general: BreakerSettings) -> BreakerSettings:
        """Of the breaker `name`; `general` is what neither it nor its base sets."""
        breakers = self.circuitbreaker
        instance = breakers.instances.get(name, BreakerConfiguration())
        base = breakers.configs.get(instance.base_config)
        return instance.over(base.over(general) if base else general)

"""Assaults on request, in the terms of the Chaos Monkey for Spring Boot.

They exist only where the configuration turns them on, and live in the process: one that is started
anew is well.
"""

import random
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic.alias_generators import to_camel

from chassis.chaos import kill_points
from chassis.core import strict_json
from chassis.core.errors import Invalid, Problem
from chassis.core.live import Live

Milliseconds = Annotated[int, Field(ge=0, le=600_000)]


class Assaults(BaseModel):
    """`level`: every so many requests one is delayed.  `exception_rate`: the share that fails."""

    model_config = ConfigDict(
        alias_generator=to_camel, populate_by_name=True, frozen=True, extra="forbid"
    )

    level: Annotated[int, Field(ge=1, le=10_000)] = 1
    latency_active: bool = False
    latency_range_start: Milliseconds = 1000
    latency_range_end: Milliseconds = 3000
    exceptions_active: bool = False
    exception_rate: Annotated[float, Field(ge=0, le=1)] = 1.0
    kill_at: Literal[kill_points.ALL] | None = None  # type: ignore[valid-type]

    @model_validator(mode="after")
    def in_order(self) -> "Assaults":
        if self.latency_range_start > self.latency_range_end:
            raise ValueError("latencyRangeStart is above latencyRangeEnd")
        return self


class Assault(NamedTuple):
    """On one request: a delay in seconds, and whether it fails then."""

    delay: float = 0.0
    fails: bool = False


class AssaultException(Problem):
    """The failure that an exception assault causes."""

    code = "chaos"

    def __init__(self) -> None:
        super().__init__("Failed on purpose: a chaos monkey assault is active.")


class ChaosMonkey:
    def __init__(self, is_configured: Live[bool]) -> None:
        self._is_configured = is_configured
        self.enabled = True
        self._assaults = Assaults()

    @property
    def is_configured(self) -> bool:
        return self._is_configured.value

    def next_assault(self) -> Assault | None:
        """On the next request, if there is one."""
        plan = self._assaults
        if not (plan.latency_active or plan.exceptions_active) or not (
            self.enabled and self.is_configured
        ):
            return None
        delayed = plan.latency_active and random.random() * plan.level < 1
        span = (plan.latency_range_start, plan.latency_range_end)
        delay = random.uniform(*span) / 1000 if delayed else 0.0
        return Assault(delay, plan.exceptions_active and random.random() < plan.exception_rate)

    def change(self, body: bytes) -> None:
        """Take over the keys of the JSON document `body`.  Raises BadRequest or Invalid."""
        strict_json.loads(body or b"{}")
        try:
            requested = Assaults.model_validate_json(body or b"{}", by_alias=True, by_name=False)
            changes = requested.model_dump(exclude_unset=True)
            self._assaults = Assaults(**{**self._assaults.model_dump(), **changes})
        except ValidationError as error:
            raise Invalid(
                "These assaults are not valid.",
                errors=[
                    {"field": ".".join(map(str, issue["loc"])), "message": issue["msg"]}
                    for issue in error.errors()
                ],
            ) from error
        kill_points.arm(self._assaults.kill_at)

    def assaults(self) -> dict[str, Any]:
        # Not what was asked for but what is: a point that was reached is no longer armed.
        return self._assaults.model_dump(by_alias=True) | {"killAt": kill_points.armed()}

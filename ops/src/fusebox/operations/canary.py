"""`canary`: a second version of a service beside the first, and its share of the traffic."""

from __future__ import annotations

import time
from importlib import metadata

from fusebox.core.errors import Fault
from fusebox.core.stack import Stack
from fusebox.core.topology import Part, number_of
from fusebox.operations import instances
from fusebox.operations.configuration import settings
from fusebox.operations.drivers import running_driver
from fusebox.runtime.driver import Driver
from fusebox.state import canary_mark
from fusebox.state.canary_mark import KEYS, ROUTER, SET_BY_US

HALF, ALL = 50, 100


def shift(
    stack: Stack, name: str, weight: int, version: str | None = None, sticky: str | None = None
) -> list[str]:
    """Send `weight` per cent to the canary of service `name`, begun if need be; 0 ends it.

    Returns what was done, in words.  Raises Fault, and sends nobody anywhere else, when the
    instance does not start or the gateway refuses.
    """
    part = instances.service_named(name, "given a canary")
    _refuse_weight(weight)
    driver = running_driver(stack)
    with instances.alone(stack, part):
        there = canary_mark.canary(stack, part, driver.states())
        if weight == 0:
            return _end(stack, driver, part, there)
        done = [_begun(stack, driver, part, version)] if there is None else []
        instances.bring_up(stack, driver, part, [there] if there else [])
        try:
            settings.set_keys(stack, _keys(part, weight, sticky), ROUTER)
        except Fault:
            if there is None:
                _withdraw(stack, driver, part)
            raise
    return [*done, *_summary(part, weight)]


def _begun(stack: Stack, driver: Driver, part: Part, version: str | None) -> str:
    """Have one more instance run, known to all callers and called by none."""
    instances.refuse_without_discovery(stack)
    names = instances.chosen(driver.states(), part.name, None)
    number = number_of(names[-1]) + 1
    instances.refuse_number(part, number)
    instance = part.instance(number)
    version = version or f"{metadata.version(part.name)}-canary"
    environment = {"FUSEBOX_VERSION": version, "FUSEBOX_CANARY": "true"}
    canary_mark.mark(stack, part, instance)
    driver.add(part, number, environment)
    try:
        instances.launch(stack, driver, [instance])
        instances.wait_until_reached(stack, driver, instance)
    except Fault:
        _withdraw(stack, driver, part)
        raise
    return f"{instance} runs beside {', '.join(names)}, as version {version}."


def _withdraw(stack: Stack, driver: Driver, part: Part) -> None:
    canary = canary_mark.canary(stack, part, driver.states())
    if canary:
        instances.drain(stack, driver, part, [canary])
    canary_mark.unmark(stack, part)


def _end(stack: Stack, driver: Driver, part: Part, there: str | None) -> list[str]:
    """First the traffic, then the instance: no request fails."""
    gone = dict.fromkeys(f"{KEYS}.{part.name}.{key}" for key in SET_BY_US)
    settings.set_keys(stack, gone, ROUTER)
    _withdraw(stack, driver, part)
    if not there:
        return [f"{part.name} has no canary."]
    return [f"{there} has ended; {part.name} is as it was."]


def _keys(part: Part, weight: int, sticky: str | None) -> dict[str, str | None]:
    # What a canary has done wrong so far is forgotten with each attempt.
    keys: dict[str, str | None] = {"weight": str(weight), "attempt": str(int(time.time()))}
    if sticky:
        keys["sticky"] = sticky
    return {f"{KEYS}.{part.name}.{key}": value for key, value in keys.items()}


def _summary(part: Part, weight: int) -> list[str]:
    more = HALF if weight < HALF else ALL
    go_on = f"`make canary SERVICE={part.name} WEIGHT={more}` goes on, " if weight < ALL else ""
    return [
        f"It gets {weight} % of what the gateway sends to {part.name}, and nothing any more when"
        " too many of its answers are errors.",
        f"{go_on}WEIGHT=0 ends it.",
    ]


def _refuse_weight(weight: int) -> None:
    if not 0 <= weight <= ALL:
        raise Fault(
            f"{weight} % is no share", remedy="give WEIGHT=0 to 100; 0 ends it.", exit_code=2
        )

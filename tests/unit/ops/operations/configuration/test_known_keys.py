"""A key that nobody reads is refused with the one that was meant."""

import pytest

from fusebox.core.errors import Fault
from fusebox.core.topology import PARTS
from fusebox.operations.configuration.known_keys import InstanceKeys, nearest_key, refuse_unknown

DEFAULTS = {
    "fusebox.breaker.fail-max": 5,
    "fusebox.breaker.reset-timeout-seconds": 10,
    "fusebox.client.read-timeout-seconds": 2,
    "eureka.client.service-url.defaultZone": "http://127.0.0.1:8761/eureka/",
    "resilience4j.circuitbreaker.instances.*.sliding-window-size": 100,
    "logging.level.root": "INFO",
}
GATEWAY = {**DEFAULTS, "fusebox.gateway.cache.enabled": True, "routes[*].id": None, "free.**": None}


def keys_of(name: str, values: dict[str, object] | None = None) -> InstanceKeys:
    defaults = GATEWAY if name == "gateway" else DEFAULTS
    return InstanceKeys(f"{name}-1", defaults, values or {}, frozenset({"shop.greeting"}))


ALL = [keys_of(part.name) for part in PARTS if part.is_ours]


@pytest.mark.parametrize(
    "key",
    [
        "fusebox.breaker.fail-max",
        "fusebox.breaker.fail_max",
        "resilience4j.circuitbreaker.instances.order-service.sliding-window-size",
        "routes[0].id",
        "free.what.ever[3]",
        "shop.greeting",
    ],
)
def test_a_key_that_somebody_reads_is_taken(key: str) -> None:
    refuse_unknown(key, None, ALL)


@pytest.mark.parametrize(
    ("key", "meant"),
    [
        ("fusebox.breaker.failmax", "fusebox.breaker.fail-max"),
        ("fusebox.braker.fail-max", "fusebox.breaker.fail-max"),
        ("fusebox.breaker.reset-timeout", "fusebox.breaker.reset-timeout-seconds"),
        ("fail-max", "fusebox.breaker.fail-max"),
        ("logging.level.rot", "logging.level.root"),
        (
            "resilience4j.circuitbreaker.instances.order-service.sliding-window-sise",
            "resilience4j.circuitbreaker.instances.order-service.sliding-window-size",
        ),
    ],
)
def test_a_misspelled_key_is_refused_with_the_nearest(key: str, meant: str) -> None:
    with pytest.raises(Fault, match="no process reads") as refusal:
        refuse_unknown(key, None, ALL)

    assert f"did you mean {meant}?" in refusal.value.remedy
    assert refusal.value.exit_code == 2


def test_a_key_that_resembles_none_is_refused_without_a_guess() -> None:
    assert nearest_key("xyzzy", DEFAULTS) is None


def test_a_key_that_only_others_read_is_refused_with_who_reads_it() -> None:
    refuse_unknown("fusebox.gateway.cache.enabled", "gateway", ALL)

    with pytest.raises(Fault, match="order-service does not read") as refusal:
        refuse_unknown("fusebox.gateway.cache.enabled", "order-service", ALL)

    assert "gateway" in refusal.value.remedy


def test_who_does_not_run_is_named_as_not_asked() -> None:
    running = [keys for keys in ALL if keys.instance != "gateway-1"]

    with pytest.raises(Fault, match="gateway could not be asked"):
        refuse_unknown("fusebox.gateway.cache.enabled", None, running)


def test_a_value_in_force_is_what_was_set_or_the_default() -> None:
    keys = keys_of("gateway", {"fusebox.breaker.fail-max": 3})

    assert keys.value("fusebox.breaker.fail-max") == "3"
    assert keys.value("fusebox.breaker.reset-timeout-seconds") == "10"
    assert keys.value("fusebox.gateway.cache.enabled") == "true"
    assert keys.value("routes[0].id") == ""

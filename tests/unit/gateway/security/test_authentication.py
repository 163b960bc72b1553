"""Which of a service's pages are for admins, however somebody spells them."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as some

from gateway.security.authentication import is_inner


@pytest.mark.parametrize(
    "path",
    [
        "/actuator",
        "/actuator/",
        "/actuator/env",
        "/actuator/prometheus",
        "/actuator/health/secret",
        "/actuator/health/../env",
        "//actuator/env",
        "/./actuator/env",
        "/catalogs/../actuator/env",
        "/%61ctuator/env",
        "/actuator%2Fenv",
        "/%2Factuator/env",
        "/%2e%2e/actuator/env",
        "/actuator;x=1/env",
        "/Actuator/env",
        "/%5Cactuator/env",
        "/x/..;/actuator/env",
        "/;x/actuator/env",
        "/.;/actuator/env",
        "/;/..;a=b;c/./actuator;jsessionid=1/env",
        "/actuator;/env",
        "/actuator%3B/env",
        "/x/..%3b/actuator/env",
        "/x/%2e%2E;x=%2F/actuator/env",
        "/x;%2f..%2factuator/env",
        "/%2541ctuator/env",
        "/%252e%252e/%25252561ctuator/env",
        "/actuator%252Fenv",
        "/x/..\\actuator/env",
        "\\actuator\\env",
        "/x/%255c..%255cactuator",
        "/actuator//../env",
        "/actuator/;/../env",
        "/actuator/env/..%2f..%2fx",
        "/actuator/env/../../x",
        "/actuator%253f",
        "/actuator/health;x",
        "/actuator/health/",
    ],
)
def test_the_actuator_is_inner(path: str) -> None:
    assert is_inner(path)


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/catalogs",
        "/catalogs/actuator",
        "/actuators",
        "/actuator/health",
        "/actuator/health/liveness",
        "/actuator/health/readiness",
        "/actuator/info",
        "/catalogs;x=/actuator",
        "/actuators;/env",
        "/catalogs/..;x",
        "/%",
        "*",
        "",
    ],
)
def test_all_else_is_not(path: str) -> None:
    assert not is_inner(path)


def spelled(text: str, draw: some.DrawFn, depth: int) -> str:
    """`text` with some of its characters percent-encoded, and that encoded again."""
    for _ in range(draw(some.integers(0, depth))):
        text = "".join(
            f"%{ord(letter):02x}" if letter == "%" or draw(some.booleans()) else letter
            for letter in text
        )
    return text


@some.composite
def ways_to_the_environment(draw: some.DrawFn) -> str:
    """As a servlet container reads it, each leads to /actuator/env."""
    detour = some.sampled_from(["/", "/.", "/./", "/;a=b", "/x/..", "/x/..;y", "/..", "/.;z", "\\"])
    before = "".join(draw(some.lists(detour, max_size=4)))
    parameters = draw(some.sampled_from(["", ";", ";a", ";a=b;c"]))
    slash = draw(some.sampled_from(["/", "\\", "//"]))
    word = "".join(draw(some.sampled_from([c, c.upper()])) for c in "actuator")
    return "/" + spelled(before + slash + word + parameters + "/env", draw, 4)


@given(ways_to_the_environment())
def test_no_way_to_the_actuator_goes_by(path: str) -> None:
    assert is_inner(path)


@pytest.mark.parametrize("part", ["%25%25;", "/%252525252e;/..//", "%2525actuator;/../", "//..;/"])
def test_a_long_path_is_judged_in_no_time(part: str) -> None:
    path = "/actuators/%" + part * (8_000 // len(part))
    began = time.perf_counter()
    is_inner(path)

    assert time.perf_counter() - began < 0.5


@given(some.text(max_size=50))
def test_any_path_can_be_judged(path: str) -> None:
    is_inner("/" + path + "%61")

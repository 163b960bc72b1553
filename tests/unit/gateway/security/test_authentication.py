"""Which of a service's pages are for admins, however somebody spells them."""

import pytest

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
        "/%2541ctuator/env",
    ],
)
def test_all_else_is_not(path: str) -> None:
    assert not is_inner(path)

"""What all tests share: property tests judge values, never the machine's speed; one real shop."""

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from .running import RunningShop

settings.register_profile(
    "fusebox", deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=60
)
settings.load_profile("fusebox")


@pytest.fixture(scope="session")
def shop() -> Iterator[RunningShop]:
    """Started by the first test that asks for it."""
    with RunningShop.opened() as running:
        yield running

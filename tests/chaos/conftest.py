"""What every chaos test gets: a shop that is whole again afterwards."""

from collections.abc import Iterator
from typing import Any

import pytest

from . import fault_injection


@pytest.fixture(autouse=True)
def repaired_shop(shop: Any) -> Iterator[None]:
    """Whatever a test has broken, the next one gets a whole shop."""
    yield
    fault_injection.heal(shop)
    fault_injection.await_recovery(shop)

"""What every chaos test gets: a shop that is whole again afterwards."""

from collections.abc import Iterator
from typing import Any

import pytest

from .table import breaking


@pytest.fixture(autouse=True)
def mended(shop: Any) -> Iterator[None]:
    """Whatever a test has broken, the next one meets a whole shop."""
    yield
    breaking.heal(shop)
    breaking.await_usual(shop)

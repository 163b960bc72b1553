"""Imports without what they take along where it happens to be installed."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def absent(module: str) -> Iterator[None]:
    """To what is imported meanwhile `module` is not installed, unless somebody has it already."""
    is_known = module in sys.modules
    if not is_known:
        sys.modules[module] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        if not is_known:
            del sys.modules[module]

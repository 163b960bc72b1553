"""A value that may change while the process runs, such as a part of the configuration.

What Spring's @RefreshScope is for: a part holds a Live and reads `.value` whenever it needs it, so
that a change applies at once.  A read costs no more than that of an attribute.
"""

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")
U = TypeVar("U")

# One for all: changes are rare, and a Live that is made during one must not miss it.
_lock = threading.RLock()


class Live(Generic[T]):
    """`value` is the newest snapshot; only `set` changes it."""

    __slots__ = ("_followers", "value")

    def __init__(self, value: T) -> None:
        self.value = value
        self._followers: list[Callable[[T], None]] = []

    def __call__(self) -> T:
        return self.value

    def set(self, value: T) -> None:
        """Change it, and all that was made from it by `map`."""
        with _lock:
            self._replace(value)

    def map(self, part: Callable[[T], U]) -> "Live[U]":
        """What `part` makes of the value: computed once for each change, not at each read."""
        with _lock:
            made = Live(part(self.value))
            self._followers.append(lambda value: made._replace(part(value)))
            return made

    def _replace(self, value: T) -> None:
        self.value = value
        for follow in self._followers:
            follow(value)

"""Passwords as argon2 hashes, and checks that take the same time whoever asks."""

import re
import secrets
import threading
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from chassis.core.errors import DeadlineOver
from chassis.resilience import deadline

# OWASP's parameters for argon2id: 2 rounds over 19 MiB, about 18 ms.
ROUNDS = 2
MEMORY_KIB = 19 * 1024
# Hashing is all CPU and memory: more of it at once only makes each one slower.
AT_ONCE = 2
# Beside the one of ASCII: a Mac types one of them when a key is held too long.
SPACES = re.compile("[\xa0\u1680\u2000-\u200a\u202f\u205f\u3000]")


def prepared(password: str) -> str:
    """As it is hashed, however a keyboard composes it (RFC 8265, 4.2: OpaqueString)."""
    return unicodedata.normalize("NFC", SPACES.sub(" ", password))


class Passwords:
    def __init__(self) -> None:
        self._hasher = PasswordHasher(time_cost=ROUNDS, memory_cost=MEMORY_KIB, parallelism=1)
        self._places = threading.BoundedSemaphore(AT_ONCE)
        self._nobodys = self.hash(secrets.token_urlsafe())

    def hash(self, password: str) -> str:
        with self._place():
            return self._hasher.hash(prepared(password))

    def fits(self, password: str, known: str | None) -> bool:
        """Whether `password` belongs to the hash `known`; without one the work is done as well."""
        # Hashes of before passwords were prepared are of what was typed.
        spellings = dict.fromkeys((prepared(password), password))
        return any(self._fits(spelling, known) for spelling in spellings)

    def _fits(self, password: str, known: str | None) -> bool:
        with self._place():
            try:
                return self._hasher.verify(known or self._nobodys, password) and known is not None
            except (VerificationError, InvalidHashError):
                return False

    @contextmanager
    def _place(self) -> Iterator[None]:
        """Raises DeadlineOver when none is free while the request has time left."""
        left = deadline.time_left()
        if not self._places.acquire(timeout=None if left is None else max(0.0, left)):
            deadline.check()
            raise DeadlineOver("Too many log in at once; nothing was done.")
        try:
            yield
        finally:
            self._places.release()

    def is_outdated(self, known: str) -> bool:
        """Whether `known` was made with other parameters than today's."""
        return self._hasher.check_needs_rehash(known)

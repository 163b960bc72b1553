"""Passwords: which will do, their argon2 hashes, and checks that take as long whoever asks."""

import re
import secrets
import unicodedata
from functools import cache
from importlib.resources import files

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from user_service.hashing_queue import HashingQueue

# OWASP's parameters for argon2id: 2 rounds over 19 MiB, about 18 ms.
ROUNDS = 2
MEMORY_KIB = 19 * 1024
SHORTEST = 8
LONGEST = 256
# Beside the one of ASCII: a Mac types one of them when a key is held too long.
SPACES = re.compile("[\xa0\u1680\u2000-\u200a\u202f\u205f\u3000]")


def prepared(password: str) -> str:
    """As it is hashed, however a keyboard composes it (RFC 8265, 4.2: OpaqueString)."""
    return unicodedata.normalize("NFC", SPACES.sub(" ", password))


def is_common(password: str) -> bool:
    """Whether it is one of those that are tried first, in whatever case."""
    return prepared(password).lower() in _most_common()


@cache
def _most_common() -> frozenset[str]:
    """Those of at least 8 characters of the list that Django ships (Royce Williams; BSD)."""
    text = files(__package__).joinpath("common_passwords.txt").read_text(encoding="utf-8")
    return frozenset(text.splitlines())


class Passwords:
    def __init__(self, queue: HashingQueue) -> None:
        self._hasher = PasswordHasher(time_cost=ROUNDS, memory_cost=MEMORY_KIB, parallelism=1)
        self._queue = queue
        self._nobodys = self.hash(secrets.token_urlsafe())

    def hash(self, password: str) -> str:
        """Raises Overloaded, as `fits` does."""
        with self._queue.slot():
            return self._hasher.hash(prepared(password))

    def fits(self, password: str, known: str | None) -> bool:
        """Whether `password` belongs to the hash `known`; without one the work is done as well."""
        # Hashes of before passwords were prepared are of what was typed.
        spellings = dict.fromkeys((prepared(password), password))
        return any(self._fits(spelling, known) for spelling in spellings)

    def _fits(self, password: str, known: str | None) -> bool:
        with self._queue.slot():
            try:
                return self._hasher.verify(known or self._nobodys, password) and known is not None
            except (VerificationError, InvalidHashError):
                return False

    def is_outdated(self, known: str) -> bool:
        """Whether `known` was made with other parameters than today's."""
        return self._hasher.check_needs_rehash(known)

"""Hashes: few at once, renewed when the parameters change."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from argon2 import PasswordHasher

from chassis.core.errors import DeadlineOver
from chassis.resilience import deadline
from user_service.passwords import Passwords


@pytest.fixture(scope="module")
def passwords() -> Passwords:
    return Passwords()


def test_a_password_fits_its_own_hash_only(passwords: Passwords) -> None:
    known = passwords.hash("correct horse")

    assert passwords.fits("correct horse", known)
    assert not passwords.fits("wrong horse", known)
    assert not passwords.fits("correct horse", None)
    assert not passwords.fits("correct horse", "no hash at all")


def test_only_hashes_of_other_parameters_are_outdated(passwords: Passwords) -> None:
    assert not passwords.is_outdated(passwords.hash("correct horse"))
    assert passwords.is_outdated(PasswordHasher(time_cost=1, memory_cost=8192).hash("x"))


def test_no_more_than_two_hashes_are_made_at_once(
    passwords: Passwords, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock, running, most = threading.Lock(), 0, 0
    real = PasswordHasher.hash

    def counted(self: PasswordHasher, password: str) -> str:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        try:
            return real(self, password)
        finally:
            with lock:
                running -= 1

    monkeypatch.setattr(PasswordHasher, "hash", counted)
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(passwords.hash, map(str, range(16))))

    assert most == 2


@pytest.mark.parametrize(
    ("composed", "typed"),
    [
        ("\u00e9t\u00e9 2026", "e\u0301te\u0301 2026"),
        ("\ud55c\uad6d\uc5b4 123", "\u1112\u1161\u11ab\u1100\u116e\u11a8\u110b\u1165 123"),
        ("with a space", "with\u00a0a\u3000space"),
        ("\u00c5ngstrom", "\u212bngstrom"),
    ],
)
def test_a_password_is_the_same_however_a_keyboard_composes_it(
    passwords: Passwords, composed: str, typed: str
) -> None:
    assert passwords.fits(typed, passwords.hash(composed))
    assert passwords.fits(composed, passwords.hash(typed))


def test_letters_that_only_look_alike_are_other_letters(passwords: Passwords) -> None:
    assert not passwords.fits("\uff50assword", passwords.hash("password"))
    assert not passwords.fits("PASSWORD", passwords.hash("password"))


def test_a_hash_of_before_passwords_were_composed_still_fits(passwords: Passwords) -> None:
    typed = "e\u0301te\u0301 2026"

    assert passwords.fits(typed, PasswordHasher().hash(typed))


def test_who_waits_for_a_place_waits_no_longer_than_the_request_has(passwords: Passwords) -> None:
    def check_in_vain() -> None:
        with deadline.at_most(0.05), pytest.raises(DeadlineOver):
            passwords.fits("correct horse", None)

    with passwords._place(), passwords._place(), ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda _: check_in_vain(), range(4)))

    assert not passwords.fits("correct horse", None)

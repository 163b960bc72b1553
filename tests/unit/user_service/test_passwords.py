"""Hashes: few at once, renewed when the parameters change."""

import pytest
from argon2 import PasswordHasher

from chassis.core.live import Live
from fusebox.cli.welcome import PASSWORD
from fusebox.runtime import shop_client as customers
from user_service.hashing_queue import HashingQueue
from user_service.passwords import SHORTEST, Passwords, _most_common, is_common, prepared


@pytest.fixture(scope="module")
def passwords() -> Passwords:
    return Passwords(HashingQueue(Live(1)))


def test_a_password_fits_its_own_hash_only(passwords: Passwords) -> None:
    known = passwords.hash("correct horse")

    assert passwords.fits("correct horse", known)
    assert not passwords.fits("wrong horse", known)
    assert not passwords.fits("correct horse", None)
    assert not passwords.fits("correct horse", "no hash at all")


def test_only_hashes_of_other_parameters_are_outdated(passwords: Passwords) -> None:
    assert not passwords.is_outdated(passwords.hash("correct horse"))
    assert passwords.is_outdated(PasswordHasher(time_cost=1, memory_cost=8192).hash("x"))


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


@pytest.mark.parametrize(
    "common",
    ["password", "PassWord", "12345678", "qwertyuiop", "iloveyou", "trustno1", "P@ssw0rd",
     "friend\u00a0of\u3000emily"],
)  # fmt: skip
def test_what_everybody_tries_first_is_a_common_password(common: str) -> None:
    assert is_common(common)


@pytest.mark.parametrize(
    "uncommon", [PASSWORD, customers.PASSWORD, "password of mine", "passwords are hashed"]
)
def test_a_longer_phrase_is_none(uncommon: str) -> None:
    assert not is_common(uncommon)


def test_the_list_holds_nothing_that_is_refused_in_any_case() -> None:
    listed = _most_common()

    assert len(listed) > 1_000
    assert all(len(password) >= SHORTEST for password in listed)
    assert all(password == prepared(password).lower() for password in listed)

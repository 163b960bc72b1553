"""The rules of accounts, without an engine."""

from datetime import UTC, datetime
from uuid import uuid4

import pytest

from user_service.models import User, is_email


@pytest.mark.parametrize(
    "address",
    ["ada@example.org", "a.b+c@x.y.example", "O'Neil@a-b.org", f"a@{'b' * 63}.org"],
)
def test_an_address_is_taken(address: str) -> None:
    assert is_email(address)


@pytest.mark.parametrize(
    "address",
    [
        "", "ada", "@example.org", "ada@", "ada@example", "ada@@example.org", "a b@example.org",
        "ada@-a.org", "ada@a-.org", "ada@a..org", "ada@example.org\n", "ada@\0.org", "ädä@b.org",
        f"a@{'b' * 64}.org", f"{'a' * 243}@example.org", "<ada@example.org>",
    ],
)  # fmt: skip
def test_what_is_no_address_is_refused(address: str) -> None:
    assert not is_email(address)


def test_a_change_leaves_alone_what_it_does_not_name() -> None:
    user = User(user_id=uuid4(), email="a@b.org", name="Ada", password_hash="old", role="user")

    user.change(name=None, password_hash="new")
    assert (user.name, user.password_hash) == ("Ada", "new")

    user.change(name="Countess", password_hash=None)
    assert (user.name, user.password_hash) == ("Countess", "new")


def test_a_deleted_account_says_when() -> None:
    user = User(user_id=uuid4(), email="a@b.org", name="Ada", password_hash="x", role="user")

    assert user.delete() == user.deleted_at
    assert user.deleted_at is not None
    assert user.deleted_at <= datetime.now(UTC)

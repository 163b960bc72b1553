"""Keys are rotated by files, in steps that a second try takes up."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from fusebox.core import secrets
from fusebox.core.errors import Fault
from fusebox.core.secrets import NEXT_KEY, RETIRED_KEYS, SIGNING_KEY, public_key
from fusebox.core.stack import Stack
from fusebox.operations import key_rotation
from fusebox.runtime import health
from fusebox.runtime.driver import State


class ShopOfOne:
    """A driver of a shop of which only the gateway runs; `lacking` is who has not got the key."""

    def __init__(self) -> None:
        self.lacking: list[str] = []
        self.published: list[str] = []

    def states(self) -> dict[str, State]:
        return {"gateway-1": State("gateway-1", "RUNNING", 1, 0, "")}

    def without_key(self, stack: Stack, key_id: str, awake: Sequence[str]) -> list[str]:
        self.published.append(key_id)
        return [name for name in awake if name in self.lacking]


@pytest.fixture
def shop(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> ShopOfOne:
    shop = ShopOfOne()
    stack.make_folders()
    secrets.make_missing(stack)
    monkeypatch.setattr(key_rotation, "running_driver", lambda _stack: shop)
    monkeypatch.setattr(key_rotation, "KNOWN_SECONDS", 0.01)
    monkeypatch.setattr(health, "without_key", shop.without_key)
    return shop


def key_id(file: Path) -> str:
    return str(public_key(file.read_text())["kid"])


def retired(stack: Stack) -> list[Any]:
    return list(json.loads((stack.secrets / RETIRED_KEYS).read_text()))


def test_the_new_key_signs_and_of_the_old_one_the_public_half_is_kept(
    stack: Stack, shop: ShopOfOne
) -> None:
    before = key_id(stack.secrets / SIGNING_KEY)

    ids = key_rotation.rotate(stack)

    assert ids.old == before
    assert ids.new == key_id(stack.secrets / SIGNING_KEY) == shop.published[-1] != before
    (old,) = retired(stack)
    assert old["kid"] == before
    assert set(old) == {"kty", "crv", "x", "y", "kid", "retiredAt"}
    assert not (stack.secrets / NEXT_KEY).exists()
    for name in (SIGNING_KEY, RETIRED_KEYS):
        assert (stack.secrets / name).stat().st_mode & 0o777 == 0o600


def test_keys_that_have_signed_are_kept_over_several_rotations(
    stack: Stack, shop: ShopOfOne
) -> None:
    rotations = [key_rotation.rotate(stack) for _ in range(3)]

    assert [key["kid"] for key in retired(stack)] == [rotation.old for rotation in rotations]


def test_while_somebody_lacks_the_new_key_the_old_one_signs_and_the_next_try_takes_up(
    stack: Stack, shop: ShopOfOne
) -> None:
    before = key_id(stack.secrets / SIGNING_KEY)
    shop.lacking = ["gateway-1"]

    with pytest.raises(Fault, match="gateway-1 did not take the new one"):
        key_rotation.rotate(stack)

    assert key_id(stack.secrets / SIGNING_KEY) == before
    assert not (stack.secrets / RETIRED_KEYS).exists()
    upcoming = key_id(stack.secrets / NEXT_KEY)
    shop.lacking = []
    assert key_rotation.rotate(stack).new == upcoming == key_id(stack.secrets / SIGNING_KEY)


def test_a_rotation_that_was_cut_short_before_its_last_step_is_finished(
    stack: Stack, shop: ShopOfOne
) -> None:
    ids = key_rotation.rotate(stack)
    (stack.secrets / NEXT_KEY).write_text((stack.secrets / SIGNING_KEY).read_text())

    again = key_rotation.rotate(stack)

    assert again.new != ids.new
    assert not (stack.secrets / NEXT_KEY).exists()
    assert [key["kid"] for key in retired(stack)] == [ids.old, ids.new]


def test_each_container_that_reads_the_key_gets_the_new_one(
    stack: Stack, shop: ShopOfOne, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    readers = [tmp_path / name for name in ("user-service", "ops")]
    for folder in readers:
        folder.mkdir()
        (folder / SIGNING_KEY).write_bytes((stack.secrets / SIGNING_KEY).read_bytes())
        (folder / SIGNING_KEY).chmod(0o644)
    monkeypatch.setattr(key_rotation, "_folders", lambda _stack: readers)

    ids = key_rotation.rotate(stack)

    for folder in readers:
        assert key_id(folder / SIGNING_KEY) == ids.new
        assert sorted(file.name for file in folder.iterdir()) == [RETIRED_KEYS, SIGNING_KEY]
        assert {file.stat().st_mode & 0o777 for file in folder.iterdir()} == {0o644}

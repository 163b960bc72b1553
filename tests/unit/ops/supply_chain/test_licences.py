"""Licences: the page is that of the lock, and one that would bind the shop is refused."""

import pytest

from fusebox.supply_chain import licences
from fusebox.supply_chain.pins import LOCK, pinned

PINS = pinned(LOCK.read_text())


def test_the_page_lists_every_package_of_the_lock() -> None:
    assert licences.PAGE.read_text() == licences.page(PINS), (
        "run python -m fusebox.supply_chain.licences --write"
    )


def test_every_licence_is_accepted() -> None:
    assert licences.refused(PINS) == []


@pytest.mark.parametrize(
    ("licence", "accepted"),
    [
        ("MIT", True),
        ("Apache-2.0 AND MIT", True),
        ("Apache-2.0 OR GPL-2.0-or-later", True),
        ("(MIT OR GPL-3.0-only) AND Apache-2.0", False),
        ("LGPL-3.0-only", True),
        ("GPL-3.0-only", False),
        ("AGPL-3.0-or-later", False),
        ("MIT AND GPL-2.0-only", False),
        ("Proprietary", False),
        ("", False),
    ],
)
def test_what_would_bind_the_shop_is_refused(licence: str, accepted: bool) -> None:
    assert licences.is_accepted("some-package", licence) == accepted

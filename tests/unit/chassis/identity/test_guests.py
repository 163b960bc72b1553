"""The name and password of guests: the right ones get in, and wrong ones are bounded."""

import base64
import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.core.errors import RateLimited, UnknownGuest
from chassis.identity.guests import BURST, GuestPassword

from ....identities import PASSWORD, basic


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def guests(password: str | None = PASSWORD, clock: Clock | None = None) -> GuestPassword:
    return GuestPassword("discovery", password, clock or Clock())


@pytest.mark.parametrize(
    "header", [basic()["Authorization"], basic()["Authorization"].replace("Basic", "bAsIc  ")]
)
def test_the_right_name_and_password_are_let_in(header: str) -> None:
    guests().check(header, "127.0.0.1")


@given(st.text().filter(lambda text: PASSWORD not in text))
def test_anything_else_is_refused(text: str) -> None:
    encoded = base64.b64encode(text.encode(errors="replace")).decode()
    for header in (text, f"Basic {text}", f"Basic {encoded}", "\udcff", "Basic \udcff"):
        with pytest.raises(UnknownGuest) as refused:
            guests().check(header, "127.0.0.1")
        assert refused.value.realm == "discovery"


@pytest.mark.parametrize("password", [None, ""])
def test_without_a_password_nobody_is_let_in(password: str | None) -> None:
    for header in (basic(password=""), basic(password="None"), basic()):
        with pytest.raises(UnknownGuest):
            guests(password).check(header["Authorization"], "127.0.0.1")


def test_too_many_wrong_ones_are_not_even_looked_at_for_a_moment() -> None:
    clock = Clock()
    checked = guests(clock=clock)
    for number in range(BURST):
        with pytest.raises(UnknownGuest):
            checked.check(basic(password=str(number))["Authorization"], "127.0.0.1")

    with pytest.raises(RateLimited) as limited:
        checked.check(basic()["Authorization"], "127.0.0.1")

    assert limited.value.retry_after == 1
    clock.now += 1
    checked.check(basic()["Authorization"], "127.0.0.1")


def test_who_was_let_in_before_is_not_held_up_by_others() -> None:
    checked = guests()
    checked.check(basic()["Authorization"], "127.0.0.1")
    for number in range(2 * BURST):
        with pytest.raises((UnknownGuest, RateLimited)):
            checked.check(basic(password=str(number))["Authorization"], "127.0.0.1")

    checked.check(basic()["Authorization"], "127.0.0.1")


def test_a_wrong_one_is_logged_with_its_address_and_without_what_was_typed(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.WARNING), pytest.raises(UnknownGuest):
        guests().check(basic("my-name", "my-password")["Authorization"], "192.0.2.7")

    assert "192.0.2.7" in caplog.text
    assert "my-" not in caplog.text

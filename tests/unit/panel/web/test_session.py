"""The admin's session: begun by the password, shown by a cookie, acted with by a token."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.core.errors import Forbidden, RateLimited, Unauthenticated, Unavailable
from panel.web.session import FAILURE_SECONDS, LIFETIME_SECONDS, MOST_FAILURES, AdminSession

PASSWORD = "correct horse battery"


class Time:
    now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


def session(password: str = PASSWORD, time: Time | None = None) -> AdminSession:
    return AdminSession(lambda: password, time or Time())


def test_the_password_begins_a_session_that_may_act() -> None:
    admin = session()
    cookie = admin.begin(PASSWORD)

    admin.require(cookie, admin.csrf_token(cookie))


@given(st.text())
def test_another_password_begins_none(password: str) -> None:
    with pytest.raises(Unauthenticated):
        session().begin(password + "x")


@pytest.mark.parametrize("token", [None, "", "guessed", "ü"])
def test_without_its_token_a_session_does_not_act(token: str | None) -> None:
    admin = session()

    with pytest.raises(Forbidden):
        admin.require(admin.begin(PASSWORD), token)


def test_the_token_of_another_session_does_not_do() -> None:
    admin = session()
    one, other = admin.begin(PASSWORD), admin.begin(PASSWORD)

    with pytest.raises(Forbidden):
        admin.require(one, admin.csrf_token(other))


@given(st.text(alphabet=st.characters(codec="latin-1")), st.integers(0, 80))
def test_a_cookie_that_was_changed_is_none(inserted: str, place: int) -> None:
    admin = session()
    cookie = admin.begin(PASSWORD)
    changed = cookie[:place] + inserted + cookie[place + 1 :]

    assert changed == cookie or admin.csrf_token(changed) is None


@pytest.mark.parametrize("cookie", [None, "", ".", "..", "9999999999.a.b"])
def test_what_is_no_cookie_of_ours_is_no_session(cookie: str | None) -> None:
    with pytest.raises(Unauthenticated):
        session().require(cookie, "token")


def test_a_session_ends_with_its_time_and_with_the_password() -> None:
    time = Time()
    admin = session(time=time)
    cookie = admin.begin(PASSWORD)

    assert session("another", time).csrf_token(cookie) is None
    assert session(time=time).csrf_token(cookie) is not None, "a restart ends none"
    time.now += LIFETIME_SECONDS
    assert admin.csrf_token(cookie) is None


def test_who_guesses_has_to_wait() -> None:
    time = Time()
    admin = session(time=time)
    for _ in range(MOST_FAILURES):
        with pytest.raises(Unauthenticated):
            admin.begin("guess")

    with pytest.raises(RateLimited):
        admin.begin(PASSWORD)
    time.now += FAILURE_SECONDS + 1
    assert admin.begin(PASSWORD)


def test_without_the_secret_nobody_signs_in() -> None:
    def none_yet() -> str:
        raise FileNotFoundError

    with pytest.raises(Unavailable):
        AdminSession(none_yet).begin(PASSWORD)
    assert AdminSession(none_yet).csrf_token("9999999999.a.b") is None

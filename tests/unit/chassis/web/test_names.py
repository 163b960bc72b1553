"""Names of people and things: whatever somebody is called, and nothing that cannot be seen."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic_core import PydanticCustomError

from chassis.web.names import one_line

name_of = one_line(100)


@pytest.mark.parametrize(
    "name",
    [
        "Ada Lovelace",
        "김민준",
        "María José",
        "O’Neill-Smith, Jr.",
        "محمد",
        "می‌خواهم",
        "श्री",
        "王",
        "👩‍👩‍👧",
        "🏴󠁧󠁢󠁥󠁮󠁧󠁿",
        "❤️",
        "7",
        "?",
        "a\u00adb",
        "a" * 100,
    ],
)
def test_a_name_of_any_people_is_taken_as_it_is(name: str) -> None:
    assert name_of(name) == name


def test_a_name_is_kept_composed_and_without_the_space_around_it() -> None:
    assert name_of("  Rene\u0301e\u00a0\n") == "Ren\u00e9e"
    assert name_of("\u1112\u1161\u11ab") == "\ud55c"


@pytest.mark.parametrize(
    "name",
    [
        *("a\u0085b", "a\x00b", "a\tb", "a\nb", "a\x7f", "a\x9fb", "\x1bA", "A\x1f", "A\u0085"),
        *("\u202eadA", "a\u202ab", "a\u2066b", "a\u2069", "a\u2028b", "a\u2029b", "a\ud800"),
    ],
)
def test_control_characters_are_refused_wherever_they_stand(name: str) -> None:
    with pytest.raises(PydanticCustomError, match="without control characters"):
        name_of(name)


@pytest.mark.parametrize(
    "name",
    [
        *("", "   ", "\u200b", "\u200d\u200c", "\ufeff", "\u2060", "\u00ad", "\u200e\u200f"),
        *("\u3164", "\u115f\u1160", "\u2800", "\u3000", "\u0301", "\ufe0f", "\u034f", "\U000e0041"),
    ],
)
def test_a_name_that_nobody_can_see_is_refused(name: str) -> None:
    with pytest.raises(PydanticCustomError, match="at least one visible character"):
        name_of(name)


def test_a_name_has_an_end() -> None:
    with pytest.raises(PydanticCustomError, match="at most 100 characters"):
        name_of("a" * 101)


@given(st.text())
def test_a_name_that_was_taken_is_taken_again_and_stays(text: str) -> None:
    try:
        name = name_of(text)
    except PydanticCustomError:
        return
    assert name_of(name) == name == unicodedata.normalize("NFC", name)
    assert not any(unicodedata.category(character) in ("Cc", "Cs") for character in name)

"""The Prefer header as RFC 7240 writes it: names in any case, parameters, quotes, several lines."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.web.prefer import preferences, wait_seconds

LONGEST = 8.0


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("wait=5", 5),
        ("WAIT=5", 5),
        ("Wait=5", 5),
        ('wait="5"', 5),
        (r'wait="\5"', 5),
        ("wait = 5", 5),
        ("\twait=5 ", 5),
        ("respond-async, wait=5", 5),
        ("respond-async,wait=5,", 5),
        (", ,wait=5", 5),
        ("wait=5; foo=bar", 5),
        ('wait=5;foo="a, b; c";;bar', 5),
        ("foo; bar=1, wait=5", 5),
        ('foo="a\\", wait=4", wait=5', 5),
        ("wait=5, wait=3", 5),
        ("WAIT=5, wait=3", 5),
        ("!!, wait=5", 5),
        ("=, wait=5", 5),
        ("wait=005", 5),
        ("wait=000000000000005", 5),
        ("wait=8", 8),
        ("wait=9", 8),
        ("wait=" + "9" * 400, 8),
        ("", 0),
        ("wait", 0),
        ("wait=", 0),
        ("wait=0", 0),
        ("wait=-1", 0),
        ("wait=+5", 0),
        ("wait=5.5", 0),
        ("wait=five", 0),
        ("wait=٣", 0),
        ("wait=five, wait=5", 0),
        ("wait, wait=5", 0),
        ("wait 5", 0),
        ("waiting=5", 0),
        ("await=5", 0),
        ("x-wait=5", 0),
        ('foo="a, wait=4"', 0),
        ('foo="a, wait=4', 0),
        ("return=minimal;wait=3", 0),
        ("return=minimal; wait=3", 0),
    ],
)
def test_a_client_waits_as_long_as_the_first_wait_says(header: str, seconds: float) -> None:
    assert wait_seconds(header, LONGEST) == seconds


TEXT = st.text(alphabet='wait=5,;" \t\\a!é')


@given(TEXT)
def test_any_header_has_some_preferences(header: str) -> None:
    assert 0 <= wait_seconds(header, LONGEST) <= LONGEST


@given(TEXT)
def test_a_preference_before_others_counts_whatever_they_are(header: str) -> None:
    assert preferences("wait=5, " + header)["wait"] == "5"


@pytest.mark.parametrize(
    "piece", ["; ", ";a = ", ' "', '\\"', "a ", ',"', ";a=\t", "=", 'a="\\', "; \t;", ", ,"]
)
def test_a_long_malformed_header_is_read_at_once(piece: str) -> None:
    began = time.process_time()

    preferences("wait=5" + piece * 10_000 + "!")

    assert time.process_time() - began < 0.5

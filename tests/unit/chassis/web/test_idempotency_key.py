"""The Idempotency-Key header: bare or in quotes, in one line or the same in several."""

import time

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from chassis.core.errors import Invalid
from chassis.web.idempotency_key import LONGEST_KEY, parse

PRINTABLE = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), min_size=1)


@pytest.mark.parametrize(
    ("header", "key"),
    [
        (None, None),
        ("k", "k"),
        ('"k"', "k"),
        (" k ", "k"),
        ("8e03978e-40d5-43dd-bc93-6894a57f9324", "8e03978e-40d5-43dd-bc93-6894a57f9324"),
        ('"a, b"', "a, b"),
        (r'"a\"b\\c"', r'a"b\c'),
        ("two words", "two words"),
        ("k,k", "k"),
        ('k, "k"', "k"),
        ("k,", "k"),
        ("clé", "clé"),
        ("k" * LONGEST_KEY, "k" * LONGEST_KEY),
    ],
)
def test_a_key_is_the_same_in_quotes_and_without(header: str | None, key: str | None) -> None:
    assert parse(header) == key


@pytest.mark.parametrize(
    "header",
    [
        *("", " ", ",", '""', "a,b", '"a","b"', "a\x00", "a\x01b", "\x7f", '"a\tb"', "a\nb"),
        *('"a', 'a"', '"a"b', r'"a\b"', '"é"', "k" * (LONGEST_KEY + 1)),
        '"' + "k" * (LONGEST_KEY + 1) + '"',
    ],
)
def test_what_is_no_key_or_several_is_refused_by_its_name(header: str) -> None:
    with pytest.raises(Invalid) as refused:
        parse(header)

    assert refused.value.errors[0]["field"] == "Idempotency-Key"


@given(PRINTABLE)
def test_any_printable_text_can_be_a_key_in_quotes(key: str) -> None:
    assume(len(key) <= LONGEST_KEY)
    quoted = key.replace("\\", "\\\\").replace('"', '\\"')

    assert parse(f'"{quoted}"') == parse(f' "{quoted}" , "{quoted}"') == key


@given(st.text())
def test_any_header_is_a_key_or_refused(header: str) -> None:
    try:
        key = parse(header)
    except Invalid:
        return
    assert key
    assert key.isprintable() or not any(character < " " for character in key)


@pytest.mark.parametrize("piece", [" ", "a ", '"', '\\"', '" ', "a,", ' a "'])
def test_a_long_malformed_header_is_read_at_once(piece: str) -> None:
    began = time.process_time()

    with pytest.raises(Invalid):
        parse("a" + piece * 10_000 + '"')

    assert time.process_time() - began < 0.5

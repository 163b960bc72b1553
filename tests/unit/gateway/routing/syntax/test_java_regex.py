"""Java's expressions: what they mean here, and which are refused."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as some

from gateway.routing.syntax import java_regex


@pytest.mark.parametrize(
    ("expression", "fits", "does_not"),
    [
        (r"\p{Alpha}+", "abC", "ab1"),
        (r"\P{Alpha}+", "12é", "a"),
        (r"\p{Digit}\p{Upper}\p{Lower}", "1Ab", "aAb"),
        (r"[\p{Alnum}_-]+", "a-1_", "a b"),
        (r"[^\p{Punct}]+", "abc", "a.c"),
        (r"\p{L}+", "Zürich", "Z1"),
        (r"[\p{Lu}\p{N}]+", "ÄB9", "ä"),
        (r"[\P{L}]+", "12-", "a"),
        (r"\pL\PL", "é1", "11"),
        (r"\p{IsAlphabetic}+", "über", "u-"),
        (r"\p{IsLu}", "É", "e"),
        (r"\d+", "42", "٤٢"),
        (r"\w+", "a_1", "é"),
        (r"(?i)abc", "ABC", "ABD"),
        (r"\h+", " \t\u00a0", "a"),
        (r"[\h,]+", ", ,", "a"),
        (r"\Qa.b\E+", "a.bb", "axb"),
        (r"a\Qb", "ab", "a"),
        (r"\x41\u0042\x{43}", "ABC", "ABD"),
        (r"\0101", "A", "B"),
        (r"(?<year>\d{4})-\k<year>", "2026-2026", "2026-2025"),
        (r"(?<!x)y", "y", "x"),
        (r"[a-c[x-z]]+", "axz", "d"),
        (r"[a&]+", "a&", "b"),
        (r"[a~|]+", "|~a", "b"),
        (r"\z|a", "a", "b"),
        (r"a++b", "aab", "aa"),
        (r"(?>a+)b", "aab", "aa"),
        (r"\{\}", "{}", "{"),
        (r"x{1,3}", "xxx", "xxxx"),
        (r"é+", "éé", "e"),
    ],
)
def test_an_expression_means_what_it_means_in_java(
    expression: str, fits: str, does_not: str
) -> None:
    pattern = java_regex.compiled(expression)

    assert pattern.fullmatch(fits)
    assert not pattern.fullmatch(does_not)


@pytest.mark.parametrize(
    ("expression", "said"),
    [
        ("(", "missing"),
        ("[a", "a [ is not closed"),
        ("[a-z&&[^b]]", "the intersection of classes"),
        ("[a[^b]]", "cannot be negated"),
        ("[]a]", r"write \] within"),
        (r"\p{Klingon}", r"\p{Klingon} is not known"),
        (r"\G", r"\G is not known"),
        (r"\cA", r"\c is not known"),
        (r"[\b]", r"\b has no meaning within"),
        ("a\\", "it ends in a backslash"),
        (r"\x{ffffff}", "chr"),
        ("a{99999999999999999999}", ""),
    ],
)
def test_what_cannot_be_said_is_refused_with_the_expression(expression: str, said: str) -> None:
    with pytest.raises(ValueError, match="is not a regular expression") as refused:
        java_regex.compiled(expression)

    assert repr(expression) in str(refused.value)
    assert said in str(refused.value)


@given(some.text(alphabet=r"ab[](){}\^$.|?*+-&~:<>=!pPLQEduxk019 ", max_size=12))
def test_any_text_is_an_expression_or_refused(text: str) -> None:
    try:
        pattern = java_regex.compiled(text)
    except ValueError:
        return

    assert isinstance(pattern, re.Pattern)


@given(some.text())
def test_quoted_text_means_itself(text: str) -> None:
    if "\\E" not in text:
        assert java_regex.compiled(f"\\Q{text}\\E").fullmatch(text)

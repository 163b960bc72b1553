"""Profile expressions, as Spring reads them."""

import pytest

from config_server.files.profiles import InvalidProfileExpression, accepts


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("dev", True),
        ("prod", False),
        ("!prod", True),
        ("prod,dev", True),
        ("dev & eu", True),
        ("dev & us", False),
        ("us | eu", True),
        ("dev & (us | eu)", True),
        ("!(dev & eu)", False),
        ("dev & eu & !us", True),
    ],
)
def test_an_expression_holds_or_not(expression: str, expected: bool) -> None:
    assert accepts(expression, ["dev", "eu"]) is expected


@pytest.mark.parametrize(
    "expression",
    ["", "&", "dev &", "(dev", "dev)", "a & b | c", "a b", "!", "(" * 9999, "!" * 9999 + "a"],
)
def test_what_spring_would_not_read_is_refused(expression: str) -> None:
    with pytest.raises(InvalidProfileExpression):
        accepts(expression, ["dev"])

"""Profile expressions, as Spring reads them."""

import pytest

from config_server.files.profiles import InvalidProfileExpression, accepts


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("dev", True),
        ("prod", False),
        ("!prod", True),
        ("dev & eu", True),
        ("dev & us", False),
        ("us | eu", True),
        ("dev & (us | eu)", True),
        ("!(dev & eu)", False),
        ("dev & eu & !us", True),
    ],
)
def test_a_profile_expression_is_evaluated_as_in_spring(expression: str, expected: bool) -> None:
    assert accepts([expression], ["dev", "eu"]) is expected


def test_one_of_several_expressions_has_to_hold() -> None:
    assert accepts(["prod", "dev"], ["dev"])
    assert not accepts(["prod", "qa"], ["dev"])


@pytest.mark.parametrize(
    "expression",
    ["", "&", "dev &", "(dev", "dev)", "a & b | c", "a b", "!", "(" * 9999, "!" * 9999 + "a"],
)
def test_an_expression_that_spring_rejects_is_rejected(expression: str) -> None:
    with pytest.raises(InvalidProfileExpression):
        accepts([expression], ["dev"])

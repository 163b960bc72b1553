"""What a Host header may say."""

import pytest

from gateway.http import authority


@pytest.mark.parametrize(
    "text",
    [
        "shop",
        "shop.example.org.",
        "SHOP:8000",
        "shop:",
        "under_score",
        "127.0.0.1:65535",
        "[::1]",
        "[2001:db8::7]:8000",
        "[::ffff:10.0.0.7]:1",
        "a%20b",
        "a!$&'()*+;=~b",
    ],
)
def test_one_host_with_a_port_or_without_is_valid(text: str) -> None:
    assert authority.is_valid(text)


@pytest.mark.parametrize(
    "text",
    [
        *("", " ", "a b", "a,b", "a, b", "a\tb", "u@a", "a/b", "a\\b", "a?", "a#", '"a"', "<a>"),
        *(":80", "a:b", "a:-1", "a:65536", "a:1:2", "a:8 0", "a:٣", "ä", "a\x00", "a\n", "a%2"),
        *("::1", "[::1", "::1]", "[]", "[a]", "[1:2]", "[::1]a", "[fe80::1%lo]", "[fe80::1%25lo]"),
    ],
)
def test_anything_else_is_not(text: str) -> None:
    assert not authority.is_valid(text)

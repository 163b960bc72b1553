"""Java's `.properties` files."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as some

from config_server.files import properties
from config_server.model import UnreadableFile


def flat(content: bytes | str) -> dict[str, str]:
    content = content.encode() if isinstance(content, str) else content
    [found] = properties.parse(content, "probe.properties")
    return {key: each.value for key, each in found.items()}


@pytest.mark.parametrize(
    ("line", "key", "value"),
    [
        ("a=1", "a", "1"),
        ("a : 1", "a", "1"),
        ("a 1 2", "a", "1 2"),
        ("  a\t=\tx = y ", "a", "x = y "),
        ("a", "a", ""),
        ("a=", "a", ""),
        ("a==1", "a", "=1"),
        (r"a\ b\=c=d", "a b=c", "d"),
        (r"a=x\ty\nz\\", "a", "x\ty\nz\\"),
        (r"a=gr\u00fcn \ud83d\ude00 \z", "a", "grün 😀 z"),
        ("a=x\\\n   y", "a", "xy"),
        ("a=x\\\\", "a", "x\\"),
        ("list[0].name=x", "list[0].name", "x"),
        ("a=1 # none", "a", "1 # none"),
    ],
)
def test_a_line_is_read_as_java_reads_it(line: str, key: str, value: str) -> None:
    assert flat(line) == {key: value}


def test_comments_and_blank_lines_are_left_out_and_a_later_line_wins() -> None:
    assert flat("# a=1\n\n  ! b=2\\\na=1\r\na=2\n") == {"a": "2"}


def test_several_documents_are_parted_by_a_comment_of_dashes() -> None:
    found = properties.parse(b"a=1\n#---\na=2\n!---\n# ----\nb=3\n", "probe.properties")

    assert [sorted(each) for each in found] == [["a"], ["a"], ["b"]]


def test_each_value_has_its_line_and_column() -> None:
    [found] = properties.parse(b"\na: 1\nb=x\\\n y\nc=z\n", "probe.properties")

    assert {key: each.origin for key, each in found.items()} == {"a": "2:4", "b": "3:3", "c": "5:3"}


def test_bytes_are_utf8_or_else_what_java_wrote_before() -> None:
    assert flat("a=grün") == flat("a=grün".encode("latin-1")) == {"a": "grün"}


@pytest.mark.parametrize("text", [r"a=\u12", r"a=\ud83d", r"\uZZZZ=1"])
def test_a_broken_escape_is_told_with_its_line(text: str) -> None:
    with pytest.raises(UnreadableFile, match=r"^probe\.properties, line 2: "):
        properties.parse(f"x=1\n{text}\n".encode(), "probe.properties")


@given(some.binary(max_size=200))
def test_whatever_bytes_are_read_or_refused(content: bytes) -> None:
    with suppress(UnreadableFile):
        for found in properties.parse(content, "probe.properties"):
            assert found

"""Java's `.properties` files."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as some

from config_server.files import properties
from config_server.model import UnreadableFile


def flat(content: bytes | str) -> dict[str, str]:
    content = content.encode() if isinstance(content, str) else content
    [document] = properties.parse(content, "probe.properties")
    return {key: value.value for key, value in document.items()}


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
        ("\\\na=1", "a", "1"),
        ("a=x\\\n#y", "a", "x#y"),
        ("a=x\\\\", "a", "x\\"),
        ("list[0].name=x", "list[0].name", "x"),
        ("a=1 # none", "a", "1 # none"),
    ],
)
def test_a_line_is_read_as_java_reads_it(line: str, key: str, value: str) -> None:
    assert flat(line) == {key: value}


def test_comments_and_blank_lines_are_skipped_and_a_later_line_wins() -> None:
    assert flat("# a=1\n\n  ! b=2\\\na=1\r\na=2\n") == {"a": "2"}


def test_a_comment_of_three_dashes_separates_documents() -> None:
    content = b"a=1\n#---\na=2\n!---\n# ----\nb=3\n"

    documents = properties.parse(content, "probe.properties")

    assert [sorted(document) for document in documents] == [["a"], ["a"], ["b"]]


def test_each_value_has_its_line_and_column() -> None:
    [document] = properties.parse(b"\na: 1\nb=x\\\n y\nc=z\n", "probe.properties")

    origins = {key: value.origin for key, value in document.items()}
    assert origins == {"a": "2:4", "b": "3:3", "c": "5:3"}


def test_a_file_that_is_not_utf8_is_read_as_latin1() -> None:
    assert flat("a=grün") == flat("a=grün".encode("latin-1")) == {"a": "grün"}


@pytest.mark.parametrize("text", [r"a=\u12", r"a=\ud83d", r"\uZZZZ=1"])
def test_an_invalid_escape_is_reported_with_its_line(text: str) -> None:
    with pytest.raises(UnreadableFile, match=r"^probe\.properties, line 2: "):
        properties.parse(f"x=1\n{text}\n".encode(), "probe.properties")


@given(some.binary(max_size=200))
def test_any_bytes_are_read_or_rejected_as_unreadable(content: bytes) -> None:
    with suppress(UnreadableFile):
        for document in properties.parse(content, "probe.properties"):
            assert document


@given(some.text(alphabet="abu0=: \t\f\\\n\r#!", max_size=30))
def test_any_text_is_read_as_an_independent_parser_reads_it(text: str) -> None:
    javaproperties = pytest.importorskip("javaproperties")
    try:
        expected = javaproperties.loads(text)
    except javaproperties.InvalidUEscapeError:
        with pytest.raises(UnreadableFile):
            properties.parse(text.encode(), "probe.properties")
    else:
        documents = properties.parse(text.encode(), "probe.properties")
        assert [
            {key: value.value for key, value in document.items()} for document in documents
        ] == ([expected] if expected else [])


def test_a_value_of_very_many_lines_is_read_in_a_moment() -> None:
    lines = 300_000

    value = flat("a=" + "x\\\n" * lines)["a"]

    assert value == "x" * lines

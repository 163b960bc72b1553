"""YAML files as flat properties, and what is refused in them."""

import math
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from config_server.files import documents
from config_server.model import UnreadableFile


def flat(text: str) -> dict[str, Any]:
    [document] = documents.parse(text.encode(), "probe.yml")
    return {key: value.value for key, value in document.properties.items()}


def test_trees_and_lists_become_flat_keys() -> None:
    assert flat("a: {b: 1}\nlist: [x, y]\ndeep: [{name: z}]\nd.e: 2\nmap: {1: one, true: t}\n") == {
        "a.b": 1,
        "list[0]": "x",
        "list[1]": "y",
        "deep[0].name": "z",
        "d.e": 2,
        "map[1]": "one",
        "map[true]": "t",
    }


def test_yaml_types_are_kept_and_dates_become_text() -> None:
    assert flat(
        "int: 3\nfloat: 1.5\nbool: true\nnull: x\nnothing: ~\nempty: []\nvanishes: {}\n"
        "date: 2026-01-31\ninfinite: .inf\ntext: '3'\n"
    ) == {
        "int": 3,
        "float": 1.5,
        "bool": True,
        "[null]": "x",
        "nothing": "",
        "empty": "",
        "date": "2026-01-31",
        "infinite": math.inf,
        "text": "3",
    }


@pytest.mark.parametrize("number", ["0x" + "f" * 99_999, "1" * 99_999, "1" + ":1" * 99_999])
def test_a_number_without_end_stays_text(number: str) -> None:
    assert flat(f"a: {number}\n") == {"a": number}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e3", 1000.0),
        ("5e5", 500_000.0),
        ("1e-3", 0.001),
        ("1E+3", 1000.0),
        ("9509425349e4", 9509425349e4),
        (".5", 0.5),
        ("1.", 1.0),
        ("-.5e2", -50.0),
        ("1_000.5", 1000.5),
        ("-.inf", -math.inf),
        ("+.Inf", math.inf),
        ("1e400", math.inf),
        ("1:30:30.5", 5430.5),
        ("09.5", 9.5),
        ("1_000", 1000),
        ("0x1F", 31),
        ("0x_ff", 255),
        ("-0x1F", -31),
        ("0b101", 5),
        ("017", 15),
        ("1:30", 90),
        ("+5", 5),
        ("12345678901234567890", 12345678901234567890),
        ("off", False),
        ("Yes", True),
        ("Null", ""),
        ("!!str 5", "5"),
        ("!!int '5'", 5),
        ("!!float 5", 5.0),
    ],
)
def test_a_number_is_what_spring_reads_it_as(text: str, value: Any) -> None:
    [read] = flat(f"a: {text}\n").values()

    assert (type(read), read) == (type(value), value)


def test_a_value_that_is_no_number_is_read_as_such() -> None:
    assert math.isnan(flat("a: .NaN\n")["a"])


@pytest.mark.parametrize(
    "text",
    ["=", "==", "0o17", "08", "1e", "0x", "0b_", "_1", "y", "nULL", "2026-01-01", "1.2.3"],
)
def test_what_is_no_number_to_spring_stays_text(text: str) -> None:
    assert flat(f"a: {text}\n") == {"a": text}


@given(some.from_regex(r"[-+0-9._:xobeEinfaNyst=<~]{1,12}", fullmatch=True))
def test_any_scalar_is_read_or_rejected_with_its_line(text: str) -> None:
    with suppress(UnreadableFile):
        for document in documents.parse(f"a: {text}\n".encode(), "probe.yml"):
            assert document.properties


def test_a_sign_of_equality_may_be_a_key() -> None:
    assert flat("= : 1\n'=x': 2\n") == {"=": 1, "=x": 2}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "- a\n- b: 1\n  c: [x]\n",
            {"document[0]": "a", "document[1].b": 1, "document[1].c[0]": "x"},
        ),
        ("just words\n", {"document": "just words"}),
        ("42\n", {"document": 42}),
    ],
)
def test_what_is_no_mapping_is_called_document(text: str, expected: dict[str, Any]) -> None:
    assert flat(text) == expected


@pytest.mark.parametrize("text", ["[]\n", "''\n", "~\n", "---\n---\n"])
def test_a_document_with_nothing_in_it_is_none(text: str) -> None:
    assert documents.parse(text.encode(), "probe.yml") == []


def test_there_may_be_any_number_of_aliases() -> None:
    assert len(flat("b: &b {x: 1}\n" + "".join(f"k{n}: *b\n" for n in range(5_000)))) == 5_001


def test_keys_of_a_mapping_take_precedence_over_merged_ones() -> None:
    text = "base: &base {a: 1, b: 2}\nother: &other {b: 3, c: 4}\nx: {<<: [*base, *other], a: 9}\n"

    assert {key: value for key, value in flat(text).items() if key.startswith("x.")} == {
        "x.a": 9,
        "x.b": 2,
        "x.c": 4,
    }


def test_several_documents_keep_their_order_and_their_condition() -> None:
    parsed = documents.parse(
        b"a: 1\n---\nspring.config.activate.on-profile: dev\na: 2\n---\n"
        b"spring: {config: {activate: {on-profile: [x, y]}}}\n---\n",
        "probe.yml",
    )

    conditions = [document.directives.on_profile for document in parsed]
    assert conditions == [(), ("dev",), ("x", "y")]


def test_an_empty_file_has_no_properties() -> None:
    assert documents.parse(b"", "probe.yml") == []
    assert documents.parse(b"# nothing yet\n", "probe.yml") == []


BILLION_LAUGHS = "l0: &l0 [x, x]\n" + "".join(
    f"l{n}: &l{n} [*l{n - 1}, *l{n - 1}]\n" for n in range(1, 25)
)
MERGED_LAUGHS = "l0: &l0 {x: 1}\n" + "".join(
    f"l{n}: &l{n}\n  <<: [*l{n - 1}, *l{n - 1}]\n" for n in range(1, 25)
)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("a: 1\n  b: 2\n", "line 2"),
        ("a: 1\nb: !!python/object/apply:os.system [ls]\n", "line 2"),
        ("a: !!binary aGk=\n", "tag"),
        ("a: 1\na: 2\n", "line 2: the key a is there twice"),
        ("a: <<\n", "tag"),
        ("a: !!int x\n", "line 1"),
        ("a: !!bool maybe\n", "no boolean"),
        ("yes: 1\non: 2\n", "line 2: the key [true] is there twice"),
        (BILLION_LAUGHS, "too large"),
        (MERGED_LAUGHS, "too large"),
        ("a: &a [*a, *a]\n", "too large"),
        ("a: &a {<<: [*a, *a]}\n", "too large"),
        ("a: " + "[" * 5_000, "deeper than 50"),
        ("a: *unknown\n", "line 1"),
        ("{[1]: 2}\n", "no plain value"),
        ("a: {<<: 1}\n", "line 1"),
    ],
)
def test_yaml_beyond_plain_data_is_rejected_with_file_and_line(text: str, reason: str) -> None:
    with pytest.raises(UnreadableFile, match=r"^probe\.yml, line \d+") as refusal:
        documents.parse(text.encode(), "probe.yml")

    assert reason in str(refusal.value)


def test_bytes_that_are_not_utf8_are_reported_with_their_line() -> None:
    with pytest.raises(UnreadableFile, match=r"probe\.yml, line 2: not UTF-8"):
        documents.parse(b"a: 1\nb: \xff\n", "probe.yml")


@pytest.mark.parametrize("name", ["large.yml", "large.properties"])
@pytest.mark.parametrize("size", [documents.MAX_BYTES, 10 * documents.MAX_BYTES])
def test_a_file_above_the_limit_is_rejected(name: str, size: int) -> None:
    with pytest.raises(UnreadableFile, match=f"{name}: longer than"):
        documents.parse(b"a: " + b"x" * size, name)

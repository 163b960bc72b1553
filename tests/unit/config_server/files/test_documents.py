"""YAML files as flat properties, and what is refused in them."""

from typing import Any

import pytest

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


def test_yaml_types_are_kept_and_dates_and_infinities_become_text() -> None:
    assert flat(
        "int: 3\nfloat: 1.5\nbool: true\nnull: x\nnothing: ~\nempty: []\nvanishes: {}\n"
        "date: 2026-01-31\ninfinite: .inf\ntext: '3'\n"
    ) == {
        "int": 3,
        "float": 1.5,
        "bool": True,
        "null": "x",
        "nothing": "",
        "empty": "",
        "date": "2026-01-31",
        "infinite": ".inf",
        "text": "3",
    }


@pytest.mark.parametrize("number", ["0x" + "f" * 99_999, "1" * 99_999, "1" + ":1" * 99_999])
def test_a_number_without_end_stays_text(number: str) -> None:
    assert flat(f"a: {number}\n") == {"a": number}


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

    assert [document.activation for document in parsed] == [None, "dev", "x,y"]


def test_an_empty_file_has_no_properties() -> None:
    assert documents.parse(b"", "probe.yml") == []
    assert documents.parse(b"# nothing yet\n", "probe.yml") == []


ALIASES = "".join(f"k{n}: *a\n" for n in range(51))
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
        ("- a\n- b\n", "no mapping"),
        ("just words\n", "no mapping"),
        ("a: &a [1]\n" + ALIASES, "more than 50 aliases"),
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

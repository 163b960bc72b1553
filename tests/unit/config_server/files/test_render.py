"""Merging, placeholders, and the three forms."""

import json
import math
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as some

from chassis.config.properties import to_tree
from config_server.files import documents, render
from config_server.model import PropertySource, PropertyValue


def source(**properties: Any) -> PropertySource:
    return PropertySource(
        "file:x", {key: PropertyValue(value, "1:1") for key, value in properties.items()}
    )


def test_a_list_is_taken_whole_from_the_source_that_wins_it() -> None:
    strong = PropertySource("strong", {"list[0]": PropertyValue("x", "1:1")})
    weak = PropertySource(
        "weak", {"list[0]": PropertyValue("a", "1:1"), "list[1]": PropertyValue("b", "1:1")}
    )

    assert render.merged([strong, weak]) == {"list[0]": "x"}
    assert render.merged([source(list=""), weak]) == {"list": ""}
    assert render.merged([weak, source(list="")]) == {"list[0]": "a", "list[1]": "b"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("${a}", "1"),
        ("<${a}|${b}>", "<1|one 1>"),
        ("${none}", "${none}"),
        ("${none:}", ""),
        ("${none:d:e}", "d:e"),
        ("${none:${a}}", "1"),
        ("${n${x:ame}}", "value"),
        ("${none:{x}}", "{x}"),
        ("${flag}", "true"),
        ("${loop}", "${loop}"),
        ("${open", "${open"),
        ("$ {a} }", "$ {a} }"),
        ("${a}" * 10_001, "1" * 10_000 + "${a}"),
        (r"\${a}", "${a}"),
        (r"\${a}${b}", "${a}one 1"),
        (r"\\${a}", "${a}"),
        (r"<\${none:${a}}>", "<${none:1}>"),
        (r"${none:\${a}}", "${a}"),
        ("${c:d}", "with colon"),
        (r"${c\:d}", "with colon"),
        (r"${none\:x:${a}}", "1"),
        (r"C:\dir\${a", r"C:\dir\${a".replace("\\$", "$")),
        ("${escaped}", "${a}"),
        ("${x:" * 60 + "}" * 60, "${x:" * 10 + "}" * 10),
    ],
)
def test_placeholders_are_filled_from_the_properties_or_their_default(
    text: str, expected: str
) -> None:
    properties = {"a": 1, "b": "one ${a}", "name": "value", "flag": True, "loop": "${loop}"}
    properties |= {"c:d": "with colon", "escaped": r"\${a}"}

    assert render.filled({**properties, "text": text})["text"] == expected


def test_placeholders_that_multiply_are_limited() -> None:
    properties = {"l0": "x" * 1000, **{f"l{n}": f"${{l{n - 1}}}" * 10 for n in range(1, 12)}}

    assert len(render.filled_text("${l11}", properties)) < 10_000_000


def test_a_filled_placeholder_may_become_a_number_in_yaml_and_stays_text_elsewhere() -> None:
    properties = render.filled({"port": "${P:8000}", "text": "8000", "odd": "${P:a: #b}"})

    assert render.to_yaml(properties) == "port: 8000\ntext: '8000'\nodd: 'a: #b'\n"
    assert render.to_json(properties) == '{"port":"8000","text":"8000","odd":"a: #b"}'


def test_a_list_is_ordered_by_number_and_has_no_holes() -> None:
    properties = {"l[10]": "k", "l[2]": "c", "l[999999999]": "z", "n[0][1]": 1}

    assert to_tree(properties) == {"l": ["c", "k", "z"], "n": [[1]]}


@pytest.mark.parametrize(
    ("flat", "tree"),
    [
        ({"a": 1, "a.b": 2}, {"a": 1, "a.b": 2}),
        ({"a.b": 2, "a": 1}, {"a": 1, "a.b": 2}),
        ({"a.b": 1, "a.b.c": 2}, {"a": {"b": 1, "b.c": 2}}),
        (
            {"l.org": "INFO", "l.org.h": "WARN", "l.org.h.sql": "DEBUG", "l.org.i.j": "OFF"},
            {"l": {"org": "INFO", "org.h": "WARN", "org.h.sql": "DEBUG", "org.i": {"j": "OFF"}}},
        ),
        ({"a[0].b": 1, "a[0].b.c": 2}, {"a": [{"b": 1, "b.c": 2}]}),
        ({"a": 1, "a[0]": 2, "a[1].b": 3}, {"a": 1, "a[0]": 2, "a[1]": {"b": 3}}),
        ({"a[0]": 1, "a[1]": 2, "a.b": 3}, {"a": [1, 2], "a.b": 3}),
        ({"a": "", "a.b": 1}, {"a": "", "a.b": 1}),
        ({"": 1, "a.": 2}, {"": 1, "a": {"": 2}}),
    ],
)
def test_what_is_both_a_value_and_a_parent_loses_neither(
    flat: dict[str, Any], tree: dict[str, Any]
) -> None:
    assert to_tree(flat) == tree


def test_infinities_are_text_where_a_form_has_no_number_for_them() -> None:
    properties = {"a": math.inf, "b": -math.inf, "c": math.nan, "d": 1e7}

    assert render.to_json(properties) == '{"a":"Infinity","b":"-Infinity","c":"NaN","d":10000000.0}'
    assert render.to_properties(properties) == "a: Infinity\nb: -Infinity\nc: NaN\nd: 1.0E7"
    assert render.to_yaml(properties) == "a: .inf\nb: -.inf\nc: .nan\nd: 10000000.0\n"


def test_text_that_any_reader_of_yaml_may_take_for_a_number_is_quoted() -> None:
    properties = {"a": "1e3", "b": "08", "c": "=", "d": "12:30", "e": "1.2.3"}

    assert render.to_yaml(properties) == "a: '1e3'\nb: '08'\nc: '='\nd: '12:30'\ne: 1.2.3\n"


def test_a_document_that_is_no_mapping_is_rendered_as_it_was_in_yaml_only() -> None:
    assert render.to_yaml({"document[0]": "a", "document[1].b": 1}) == "- a\n- b: 1\n"
    assert render.to_yaml({"document": "just text"}) == "just text\n"
    assert render.to_yaml({"document": 42}) == "'42'\n"
    assert render.to_json({"document[0]": "a"}) == '{"document":["a"]}'


SCALARS = (
    some.none()
    | some.booleans()
    | some.integers(-(10**20), 10**20)
    | some.floats(allow_nan=False)
    | some.text(max_size=8)
    | some.from_regex(r"[-+0-9._:xobeEinf=<~]{1,6}", fullmatch=True)
)
KEYS = some.text("abc-_=<~", min_size=1, max_size=4)
TREES = some.dictionaries(
    KEYS,
    some.recursive(
        SCALARS,
        lambda inner: (
            some.lists(inner, max_size=3) | some.dictionaries(KEYS, inner, min_size=1, max_size=3)
        ),
        max_leaves=15,
    ),
    max_size=4,
)


@given(TREES)
def test_any_file_is_read_and_rendered_and_read_back(tree: dict[str, Any]) -> None:
    written = yaml.safe_dump(tree, allow_unicode=True)

    flat = {
        key: value.value
        for document in documents.parse(written.encode(), "probe.yml")
        for key, value in document.properties.items()
    }
    again = {
        key: value.value
        for document in documents.parse(render.to_yaml(flat).encode(), "probe.yml")
        for key, value in document.properties.items()
    }

    assert again == flat
    assert json.loads(render.to_json(flat)) == to_tree(
        {key: render.json_value(value) for key, value in flat.items()}
    )


def test_a_line_break_in_a_value_begins_no_property() -> None:
    assert render.to_properties({"a": "x\nb: y", "c": False}) == "a: x\\nb: y\nc: false"


def test_yaml_reads_back_as_it_was() -> None:
    properties = {"a.b[0].c": "x: y", "a.b[1].c": "", "d": None, "e": "true", "f": 1.5}

    assert yaml.safe_load(render.to_yaml(properties)) == to_tree(properties)

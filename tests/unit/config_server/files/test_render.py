"""Merging, placeholders, and the three forms."""

from typing import Any

import pytest
import yaml

from chassis.config.properties import to_tree
from config_server.files import render
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
        ("${x:" * 60 + "}" * 60, "${x:" * 10 + "}" * 10),
    ],
)
def test_placeholders_are_filled_from_the_properties_or_their_default(
    text: str, expected: str
) -> None:
    properties = {"a": 1, "b": "one ${a}", "name": "value", "flag": True, "loop": "${loop}"}

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


def test_a_key_with_both_a_value_and_children_keeps_the_children() -> None:
    assert to_tree({"a": 1, "a.b": 2}) == {"a": {"b": 2}}


def test_a_line_break_in_a_value_begins_no_property() -> None:
    assert render.to_properties({"a": "x\nb: y", "c": False}) == "a: x\\nb: y\nc: false"


def test_yaml_reads_back_as_it_was() -> None:
    properties = {"a.b[0].c": "x: y", "a.b[1].c": "", "d": None, "e": "true", "f": 1.5}

    assert yaml.safe_load(render.to_yaml(properties)) == to_tree(properties)

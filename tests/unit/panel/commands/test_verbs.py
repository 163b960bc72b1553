"""What a page asks for, as the command line's verb and as the `make` command that does the same."""

import re
from pathlib import Path
from typing import Any

import click
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.core.errors import Invalid, NotFound
from fusebox.cli.main import cli
from panel.commands.verbs import REQUESTS, parse

MAKEFILE = (Path(__file__).resolve().parents[4] / "Makefile").read_text()
CATALOG = {"service": "catalog-service"}
CALLS: list[tuple[str, dict[str, Any], str]] = [
    ("order", {}, "make order PRODUCT=CATALOG-0001 QTY=1"),
    ("order", {"product": "CATALOG-0002", "qty": 3}, "make order PRODUCT=CATALOG-0002 QTY=3"),
    ("traffic", {"rate": 5}, "make traffic RATE=5"),
    ("kill", {**CATALOG, "instance": 2}, "make kill SERVICE=catalog-service INSTANCE=2"),
    ("stop", CATALOG, "make stop SERVICE=catalog-service"),
    ("start", CATALOG, "make start SERVICE=catalog-service"),
    ("pause", {"service": "kafka"}, "make pause SERVICE=kafka"),
    ("roll", CATALOG, "make roll SERVICE=catalog-service"),
    ("slow", {**CATALOG, "ms": 800}, "make slow SERVICE=catalog-service MS=800"),
    ("fail", {**CATALOG, "percent": 30}, "make fail SERVICE=catalog-service RATE=0.3"),
    ("heal", {}, "make heal"),
    ("scale", {**CATALOG, "n": 3}, "make scale SERVICE=catalog-service N=3"),
    ("canary", {**CATALOG, "weight": 10}, "make canary SERVICE=catalog-service WEIGHT=10"),
    ("verify", {}, "make verify"),
    ("replay", {}, "make replay-dead"),
    ("lesson", {"name": 3}, "make demo STEP=3 PACE=fast"),
    ("lesson", {}, "make demo PACE=fast"),
]


@pytest.mark.parametrize(("verb", "body", "command"), CALLS)
def test_a_verb_is_told_as_its_make_command(verb: str, body: dict[str, Any], command: str) -> None:
    assert parse(verb, body).call().make == command


@pytest.mark.parametrize(("verb", "body", "command"), CALLS)
def test_the_command_line_takes_what_it_is_given(
    verb: str, body: dict[str, Any], command: str
) -> None:
    name, *arguments = parse(verb, body).call().arguments
    known = cli.get_command(click.Context(cli), name)

    assert known is not None
    known.make_context(name, list(arguments))
    target, *variables = command.removeprefix("make ").split()
    [recipe] = re.findall(rf"^{target}: .*(?:\n\t.*)+", MAKEFILE, re.MULTILINE)
    for variable in variables:
        name = variable.partition("=")[0]
        assert f"${name}" in recipe or f"$({name})" in recipe or f"of_{name.lower()}" in recipe


def test_every_verb_is_tried_here() -> None:
    assert {verb for verb, _, _ in CALLS} | {"lesson-stop"} == set(REQUESTS)


@pytest.mark.parametrize(
    ("verb", "body"),
    [
        ("kill", {}),
        ("kill", {"service": "nobody"}),
        ("kill", {"service": "--help"}),
        ("kill", {"service": 1}),
        ("kill", {**CATALOG, "instance": 0}),
        ("kill", {**CATALOG, "instance": "1"}),
        ("kill", {**CATALOG, "force": True}),
        ("slow", {**CATALOG, "ms": 0}),
        ("slow", {**CATALOG, "ms": 60_001}),
        ("slow", CATALOG),
        ("fail", {**CATALOG, "percent": 101}),
        ("fail", {"service": "kafka", "percent": 10}),
        ("scale", {**CATALOG, "n": 17}),
        ("scale", {"service": "gateway", "n": 2}),
        ("roll", {"service": "kafka"}),
        ("canary", {**CATALOG, "weight": -1}),
        ("order", {"product": "--json"}),
        ("order", {"product": "A; rm -rf /"}),
        ("order", {"product": "A\n"}),
        ("order", {"qty": 0}),
        ("traffic", {"rate": 101}),
        ("traffic", {"rate": 0.05}),
        ("traffic", {}),
        ("lesson", {"name": 9}),
    ],
)
def test_a_body_that_is_not_the_verbs_own_is_refused(verb: str, body: dict[str, Any]) -> None:
    with pytest.raises(Invalid) as refused:
        parse(verb, body)
    assert refused.value.errors


@given(st.text())
def test_a_product_is_one_word_to_any_shell_and_no_option(product: str) -> None:
    try:
        call = parse("order", {"product": product}).call()
    except Invalid:
        return
    assert re.fullmatch(r"make order PRODUCT=[A-Za-z0-9][A-Za-z0-9._-]* QTY=1", call.make)


@given(st.text().filter(lambda verb: verb not in REQUESTS))
def test_another_verb_is_none(verb: str) -> None:
    with pytest.raises(NotFound):
        parse(verb, {})

"""docs/api.md names every endpoint of the services and every code of a problem."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
PAGE = (ROOT / "docs" / "api.md").read_text()
METHODS = ("get", "post", "put", "patch", "delete")
# The shop's own: a service that a reader adds needs no row here.
SERVICES = {
    "user-service": "services/user/src",
    "catalog-service": "services/catalog/src",
    "order-service": "services/order/src",
}
ANSWERING = ("chassis/src", "gateway/src", *SERVICES.values())


def trees(folder: str) -> Iterator[ast.AST]:
    for file in sorted((ROOT / folder).rglob("*.py")):
        yield from ast.walk(ast.parse(file.read_text()))


def endpoints(service: str) -> set[str]:
    """As they are reached through the gateway."""
    addresses = set()
    for node in trees(SERVICES[service]):
        match node:
            case ast.Call(
                func=ast.Attribute(value=ast.Name(id="api"), attr=method),
                args=[ast.Constant(value=str(path))],
            ) if method in METHODS:
                addresses.add(
                    f"{method.upper()} /{service}{re.sub('<(?:uuid:)?(.*?)>', shown, path)}"
                )
    return addresses


def shown(parameter: re.Match[str]) -> str:
    first, *others = parameter[1].split("_")
    return "{" + first + "".join(word.capitalize() for word in others) + "}"


def codes() -> set[str]:
    slugs: set[str] = set()
    for folder in ANSWERING:
        for node in trees(folder):
            match node:
                case ast.keyword(arg="code", value=ast.Constant(value=str(code))):
                    slugs.add(code)
                case ast.Assign(targets=[ast.Name(id="code")], value=ast.Constant(value=str(code))):
                    slugs.add(code)
    return slugs


@pytest.mark.parametrize("service", SERVICES)
def test_every_endpoint_of_a_service_has_a_row_and_no_other(service: str) -> None:
    rows = set(re.findall(rf"^\| `([A-Z]+ /{service}/[^`]*)`", PAGE, re.MULTILINE))

    assert endpoints(service) == rows


def test_every_code_of_a_problem_is_named() -> None:
    table = PAGE.partition("## Errors")[2]

    assert {"out-of-stock", "not-found", "blocked"} <= codes()
    assert sorted(code for code in codes() if f"`{code}`" not in table) == []

"""docs/gateway.md is held against the code: every word is in it, and its examples are right."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from chassis.config.settings import Section, kebab
from gateway.routing import predicates, route_definitions
from gateway.routing.filters import factories as filters
from gateway.routing.route import RouteTimeouts
from gateway.routing.syntax import definitions
from gateway.security import blocklist, forwarded
from gateway.security.rate_policies import RatePolicy
from gateway.settings import CacheSection, GatewayLimits, GatewaySection
from gateway.traffic.canary_routes import CanarySettings

ROOT = Path(__file__).parents[4]
PAGE = (ROOT / "docs" / "gateway.md").read_text()


def rows(title: str) -> dict[str, list[str]]:
    """The cells of the table under a heading, by the name in the first."""
    part = PAGE.partition(f"\n## {title}\n")[2].partition("\n## ")[0]
    lines = [line for line in part.splitlines() if line.startswith("| `")]
    cells = [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]
    return {cell[0].strip("`"): cell[1:] for cell in cells}


def blocks() -> list[Any]:
    return [yaml.safe_load(block) for block in re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)]


TABLES = [("Predicates", predicates.FACTORIES), ("Filters", filters.FACTORIES)]


@pytest.mark.parametrize(("title", "factories"), TABLES)
def test_every_word_has_a_row_with_its_arguments(title: str, factories: dict[str, Any]) -> None:
    documented = rows(title)

    assert list(documented) == list(factories)
    for name, kind in factories.items():
        arguments = re.sub(r"\([^)]*\)", "", documented[name][0])
        assert re.findall(r"[\w.-]+", arguments) == [*kind.fields, *kind.more], name


@pytest.mark.parametrize(("title", "factories"), TABLES)
def test_every_example_is_right(title: str, factories: dict[str, Any]) -> None:
    for name, (_, example, *_rest) in rows(title).items():
        text = example.strip("`").replace("\\|", "|")
        assert text.partition("=")[0] == name
        definitions.parse(name, text, factories)


def test_the_pieces_of_configuration_are_right() -> None:
    first, beside, weighted, rates, proxies, blocked = blocks()

    assert (
        route_definitions.parse(first["spring.cloud.gateway.routes"])[0].service == "order-service"
    )
    assert [route.weight.weight for route in route_definitions.parse(weighted) if route.weight] == [
        90,
        10,
    ]
    section = GatewaySection.model_validate(beside["spring.cloud.gateway"])
    assert section.defaults.timeouts == RouteTimeouts(1.0, 5.0)
    assert section.cors.for_all
    assert forwarded.trusted_proxies(*proxies.values()).trusts("::1")
    shipped = yaml.safe_load((ROOT / "config/gateway.yml").read_text())["fusebox"]["gateway"]
    assert rates["fusebox.gateway.rate-limits"].items() <= shipped["rate-limits"].items()
    GatewayLimits.model_validate(shipped)
    assert blocklist.parse(blocked["fusebox.gateway.blocked"])[0].id == "scrapers"


def test_the_limits_of_a_client_are_told_with_their_defaults() -> None:
    documented = {name: cells[0] for name, cells in rows("Limits of a client").items()}

    fields = GatewayLimits.model_fields
    defaults = {kebab(name): str(field.default) for name, field in fields.items()}
    assert documented.items() <= defaults.items()
    assert {name for name in defaults if "max-" in name} <= documented.keys()


def test_the_keys_of_a_rate_are_told() -> None:
    assert [*rows("Rate limits")] == [kebab(name) for name in RatePolicy.model_fields]


def test_what_is_refused_of_springs_is_said_with_its_reason() -> None:
    documented = {name: cells[0] for name, cells in rows("Not from Spring").items()}

    assert documented == {**predicates.UNSUPPORTED, **filters.UNSUPPORTED}


@pytest.mark.parametrize(
    ("title", "section"), [("Response cache", CacheSection), ("Canaries", CanarySettings)]
)
def test_the_keys_of_a_section_and_their_defaults_are_told(
    title: str, section: type[Section]
) -> None:
    documented = {name: cells[0] for name, cells in rows(title).items()}

    fields = section.model_fields
    assert documented == {
        kebab(name): str("" if field.default is None else field.default).lower()
        for name, field in fields.items()
    }

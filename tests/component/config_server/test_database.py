"""The table PROPERTIES in a real PostgreSQL."""

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine, text

from config_server.backends.composite import CompositeBackend
from config_server.backends.database import DatabaseBackend
from config_server.backends.folder import FolderBackend
from config_server.model import BackendUnavailable, ConfigQuery

from .conftest import COLUMNS, put, served


def test_rows_are_served_in_order_of_precedence(engine: Engine) -> None:
    put(
        engine,
        ("application", None, "master", "a", "0"),
        ("application", "dev", "master", "a", "2"),
        ("probe", None, "master", "a", "1"),
        ("probe", "dev", "master", "a", "3"),
        ("probe", "dev", "master", "b", None),
        ("probe", "dev", "other", "a", "4"),
        ("nobody", "dev", "master", "a", "5"),
    )
    backend = DatabaseBackend(engine, "master")

    sources = backend.find(ConfigQuery("probe", "dev")).sources
    other = backend.find(ConfigQuery("probe", "dev", "other")).sources

    assert [(source.name, source.plain()) for source in sources] == [
        ("probe-dev", {"a": "3", "b": ""}),
        ("application-dev", {"a": "2"}),
        ("probe", {"a": "1"}),
        ("application", {"a": "0"}),
    ]
    assert [source.plain() for source in other] == [{"a": "4"}]


def test_columns_created_with_quotes_are_read_as_well(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(text("DROP TABLE PROPERTIES"))
        connection.execute(text(f'CREATE TABLE PROPERTIES ({COLUMNS}, "KEY" text, "VALUE" text)'))
    put(engine, ("probe", "dev", "master", "a", "1"))

    sources = DatabaseBackend(engine, "master").find(ConfigQuery("probe", "dev")).sources

    assert [source.plain() for source in sources] == [{"a": "1"}]


def test_a_name_with_a_quote_in_it_is_a_name(engine: Engine) -> None:
    backend = DatabaseBackend(engine, "master")

    assert backend.find(ConfigQuery("x' OR '1'='1", "dev'; --", "y'")).sources == []


def test_each_application_has_a_stamp_that_changes_with_its_rows(engine: Engine) -> None:
    backend = DatabaseBackend(engine, "master")
    assert backend.stamps() == {}
    put(engine, ("probe", None, "master", "a", "1"), ("other", None, "master", "a", "1"))
    before = backend.stamps()

    put(engine, ("probe", None, "master", "b", "1"))

    assert before.keys() == {"probe", "other"}
    assert backend.stamps()["other"] == before["other"]
    assert backend.stamps()["probe"] != before["probe"]


def test_the_first_of_several_back_ends_wins_over_http(engine: Engine, tmp_path: Path) -> None:
    put(engine, ("probe", None, "master", "a", "table"), ("probe", None, "master", "b", "table"))
    (tmp_path / "probe.yml").write_text("a: file\n")
    (tmp_path / "x.conf").write_text("${a} ${b}")
    files, table = FolderBackend(tmp_path), DatabaseBackend(engine, "master")

    with served(tmp_path, CompositeBackend([files, table])) as server:
        document: dict[str, Any] = server.get("/probe/dev").json()
        assert [source["source"] for source in document["propertySources"]] == [
            {"a": "file"},
            {"a": "table", "b": "table"},
        ]
        assert server.get("/probe/dev/x.conf?useDefaultLabel").text == "file table"
    with served(tmp_path, CompositeBackend([table, files])) as server:
        assert server.get("/probe-dev.properties").text == "a: table\nb: table"


def test_with_an_unreachable_database_no_partial_configuration_is_served(
    tmp_path: Path,
) -> None:
    (tmp_path / "probe.yml").write_text("a: 1\n")
    nobody = create_engine(
        "postgresql+psycopg://me:hidden@127.0.0.1:1/x", connect_args={"connect_timeout": 1}
    )
    table = DatabaseBackend(nobody, "master")

    with pytest.raises(BackendUnavailable):
        table.stamps()
    with served(tmp_path, CompositeBackend([FolderBackend(tmp_path), table])) as server:
        answer = server.get("/probe/dev")

    assert answer.status_code == 503
    assert "hidden" not in answer.text

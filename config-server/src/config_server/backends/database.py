"""The table PROPERTIES(APPLICATION, PROFILE, LABEL, KEY, VALUE) in PostgreSQL."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Engine, bindparam, text
from sqlalchemy.engine import RowMapping
from sqlalchemy.exc import SQLAlchemyError

from config_server.model import (
    BackendUnavailable,
    ConfigQuery,
    ConfigResult,
    PropertySource,
    PropertyValue,
    Stamps,
)

# All columns, as KEY and VALUE were created with quotes by some and without by others.
ROWS = text("SELECT * FROM PROPERTIES WHERE APPLICATION IN :applications").bindparams(
    bindparam("applications", expanding=True)
)
STAMPS = text(
    "SELECT APPLICATION, md5(string_agg(row::text, chr(10) ORDER BY row::text))"
    " FROM PROPERTIES AS row GROUP BY APPLICATION"
)

Rows = dict[tuple[str, str | None], dict[str, PropertyValue]]


class DatabaseBackend:
    def __init__(self, engine: Engine, default_label: str) -> None:
        self._engine = engine
        self._default_label = default_label

    @property
    def location(self) -> str:
        return self._engine.url.render_as_string(hide_password=True)

    def find(self, query: ConfigQuery) -> ConfigResult:
        rows = self._rows(ROWS, {"applications": query.applications})
        labels = (query.label or self._default_label).split(",")
        return ConfigResult(
            [
                source
                for label in reversed(labels)
                for source in _sources(_of_label(rows, label), query)
            ]
        )

    def file(self, query: ConfigQuery, path: str) -> bytes | None:
        """None: a table has properties only."""

    def stamps(self) -> Stamps:
        rows = self._rows(STAMPS, {})
        return {str(row["application"]): row["md5"] for row in rows}

    def imported(self) -> frozenset[str]:
        return frozenset()

    def problems(self) -> dict[str, str]:
        return {}

    def refresh(self, force: bool = False) -> None:
        """Nothing to do: every query goes to the database."""

    def _rows(self, statement: Any, values: dict[str, Any]) -> Sequence[RowMapping]:
        try:
            with self._engine.connect() as connection:
                return connection.execute(statement, values).mappings().all()
        except SQLAlchemyError as error:
            raise BackendUnavailable(f"{self.location}: {_reason(error)}") from error


def _of_label(rows: Sequence[RowMapping], label: str) -> Rows:
    properties: Rows = {}
    for row in rows:
        columns = {name.lower(): value for name, value in row.items()}
        if columns["label"] == label:
            source = (columns["application"], columns["profile"])
            value = "" if columns["value"] is None else str(columns["value"])
            properties.setdefault(source, {})[columns["key"]] = PropertyValue(value)
    return properties


def _sources(rows: Rows, query: ConfigQuery) -> list[PropertySource]:
    profiles = [*query.profiles[::-1], None]
    return [
        PropertySource(f"{application}-{profile}" if profile else application, properties)
        for profile in profiles
        for application in query.applications
        if (properties := rows.get((application, profile)))
    ]


def _reason(error: SQLAlchemyError) -> str:
    return str(getattr(error, "orig", None) or error).partition("\n")[0]

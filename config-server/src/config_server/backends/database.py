"""The table PROPERTIES(APPLICATION, PROFILE, LABEL, KEY, VALUE) in PostgreSQL."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Engine, bindparam, text
from sqlalchemy.engine import RowMapping
from sqlalchemy.exc import SQLAlchemyError

from config_server.model import Away, Found, Question, Source, Stamps, Value

# All columns, as KEY and VALUE were created with quotes by some and without by others.
ROWS = text("SELECT * FROM PROPERTIES WHERE APPLICATION IN :applications").bindparams(
    bindparam("applications", expanding=True)
)
STAMPS = text(
    "SELECT APPLICATION, md5(string_agg(row::text, chr(10) ORDER BY row::text))"
    " FROM PROPERTIES AS row GROUP BY APPLICATION"
)

Rows = dict[tuple[str, str | None], dict[str, Value]]


class DatabaseBackend:
    def __init__(self, engine: Engine, default_label: str) -> None:
        self._engine = engine
        self._default_label = default_label

    @property
    def location(self) -> str:
        return self._engine.url.render_as_string(hide_password=True)

    def find(self, question: Question) -> Found:
        rows = self._rows(ROWS, {"applications": question.applications})
        labels = (question.label or self._default_label).split(",")
        return Found(
            [
                source
                for label in reversed(labels)
                for source in _sources(_of_label(rows, label), question)
            ]
        )

    def file(self, question: Question, path: str) -> bytes | None:
        """None: a table has properties only."""

    def stamps(self) -> Stamps:
        found = self._rows(STAMPS, {})
        return {str(row["application"]): row["md5"] for row in found}

    def problems(self) -> dict[str, str]:
        return {}

    def renew(self, at_once: bool = False) -> None:
        """Nothing to do: each question goes to the database."""

    def _rows(self, statement: Any, values: dict[str, Any]) -> Sequence[RowMapping]:
        try:
            with self._engine.connect() as connection:
                return connection.execute(statement, values).mappings().all()
        except SQLAlchemyError as error:
            raise Away(f"{self.location}: {_reason(error)}") from error


def _of_label(rows: Sequence[RowMapping], label: str) -> Rows:
    found: Rows = {}
    for row in rows:
        columns = {name.lower(): value for name, value in row.items()}
        if columns["label"] == label:
            place = (columns["application"], columns["profile"])
            value = "" if columns["value"] is None else str(columns["value"])
            found.setdefault(place, {})[columns["key"]] = Value(value)
    return found


def _sources(rows: Rows, question: Question) -> list[Source]:
    profiles = [*question.profiles[::-1], None]
    return [
        Source(f"{application}-{profile}" if profile else application, properties)
        for profile in profiles
        for application in question.applications
        if (properties := rows.get((application, profile)))
    ]


def _reason(error: SQLAlchemyError) -> str:
    return str(getattr(error, "orig", None) or error).partition("\n")[0]

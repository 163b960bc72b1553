"""What tests read out of an answer and out of the database."""

from typing import Any

from sqlalchemy import text


def rows(users: Any, query: str, **given: Any) -> list[Any]:
    with users.engine.connect() as connection:
        return list(connection.execute(text(query), given).mappings())


def fields(answer: Any) -> set[str]:
    assert answer.status_code == 422, answer.text
    assert answer.content_type == "application/problem+json"
    return {error["field"] for error in answer.json["errors"]}


def code(answer: Any) -> tuple[int, str]:
    assert answer.content_type == "application/problem+json"
    return answer.status_code, answer.json["code"]

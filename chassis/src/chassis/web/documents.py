"""JSON objects of answers, whose types say what is in them at no cost of their own."""

from typing import Annotated

from pydantic import Field

# Pydantic takes none of `typing`'s before Python 3.12.
from typing_extensions import TypedDict

EXAMPLE_ID = "01936f7c-5e8a-7c31-9b0d-2f6a1e4c8d57"
EXAMPLE_MOMENT = "2026-11-21T12:00:00Z"

# In answers they are text already.
Uuid = Annotated[str, Field(json_schema_extra={"format": "uuid"}, examples=[EXAMPLE_ID])]
Moment = Annotated[str, Field(json_schema_extra={"format": "date-time"}, examples=[EXAMPLE_MOMENT])]


class Document(TypedDict):
    """What an answer says, by the names that JSON has for it."""

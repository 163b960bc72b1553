"""Loaded by schemathesis: values for formats of the shop's own, and rules that no schema says."""

import base64
import json
import os
import uuid
from typing import Any

import schemathesis
from hypothesis import strategies as st

LETTERS = st.characters(codec="utf-8", categories=("L", "N", "P", "S"))
# Blank, though Unicode has them among the letters and the symbols.
BLANK = "\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0"


def cursor(key: uuid.UUID) -> str:
    return base64.urlsafe_b64encode(str(key).encode()).decode()


schemathesis.openapi.format(
    "one-line", st.text(LETTERS, min_size=1, max_size=80).filter(lambda name: name.strip(BLANK))
)
# Longer than those that everybody knows.
schemathesis.openapi.format("password", st.text(LETTERS, min_size=20, max_size=64))
schemathesis.openapi.format("cursor", st.uuids().map(cursor))
schemathesis.openapi.format("idempotency-key", st.uuids().map(str))

# What the tests need: whoever would change it changes what stands beside it here.
SUBSTITUTES: dict[str, dict[str, str]] = json.loads(os.environ.get("FUSEBOX_SUBSTITUTES", "{}"))
KEY = "Idempotency-Key"
CHANGING = ("PATCH", "PUT", "DELETE")


@schemathesis.hook
def before_call(context: Any, case: Any, kwargs: dict[str, Any]) -> None:
    """Ids are learnt from answers too, so an admin's tests would come upon the admin itself."""
    if case.method in CHANGING:
        for name, value in (case.path_parameters or {}).items():
            known = SUBSTITUTES.get(name, {})
            case.path_parameters[name] = (
                known.get(value, value) if isinstance(value, str) else value
            )
    if KEY in (case.headers or {}) and case.meta.generation.mode.is_positive:
        # One that comes again with another body is refused, and no schema says so.
        case.headers[KEY] = str(uuid.uuid4())


@schemathesis.hook
def map_body(context: Any, body: Any) -> Any:
    """To a schema 2.0 is an integer, and JSON as it is read here says integers without a point."""
    match body:
        case float() if body.is_integer():
            return int(body)
        case list():
            return [map_body(context, item) for item in body]
        case dict():
            return {name: map_body(context, member) for name, member in body.items()}
        case _:
            return body

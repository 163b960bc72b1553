"""Pages of a list by key: `?limit=` and an opaque `?cursor=`, the next page in a Link header."""

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode
from uuid import UUID

from chassis.core.errors import Invalid
from chassis.web.operations import Parameter

DEFAULT_LIMIT = 50
LARGEST_LIMIT = 200

PARAMETERS = (
    Parameter(
        "limit",
        "query",
        "So many at most.",
        {"type": "integer", "minimum": 1, "maximum": LARGEST_LIMIT, "default": DEFAULT_LIMIT},
        DEFAULT_LIMIT,
    ),
    Parameter(
        "cursor",
        "query",
        "Where the page begins, from the `Link` of the one before: it is opaque.",
        {"type": "string", "format": "cursor"},
        None,
    ),
)
LINK = {"Link": 'The next page with `rel="next"`; there is none on the last one.'}


@dataclass(frozen=True)
class Page:
    """`limit` rows behind the row with the key `after`, or the first ones."""

    limit: int = DEFAULT_LIMIT
    after: str | None = None


def requested(args: Mapping[str, str]) -> Page:
    """The page that a query string asks for; Invalid names what is wrong with it."""
    limit = args.get("limit", str(DEFAULT_LIMIT))
    if not (re.fullmatch("[0-9]{1,3}", limit) and 1 <= int(limit) <= LARGEST_LIMIT):
        raise Invalid(
            "Some fields are wrong.",
            errors=[{"field": "limit", "message": f"a number from 1 to {LARGEST_LIMIT}"}],
        )
    return Page(int(limit), _decode(args["cursor"]) if "cursor" in args else None)


def next_link(
    path: str, page: Page, last: str | None, filters: Mapping[str, str] | None = None
) -> dict[str, str]:
    """The Link header to the page behind the row with the key `last`; none without one."""
    if last is None:
        return {}
    cursor = base64.urlsafe_b64encode(last.encode()).decode()
    query = urlencode({**(filters or {}), "limit": page.limit, "cursor": cursor})
    return {"Link": f'<{path}?{query}>; rel="next"'}


def wrong_cursor() -> Invalid:
    return Invalid(
        "Some fields are wrong.",
        errors=[{"field": "cursor", "message": "take it from a Link header as it is"}],
    )


def id_of(key: str) -> UUID:
    """The key of a row whose ids are UUIDs; Invalid when a cursor says anything else."""
    try:
        return UUID(key)
    except ValueError as error:
        raise wrong_cursor() from error


def _decode(cursor: str) -> str:
    try:
        key = base64.b64decode(cursor.encode(), altchars=b"-_", validate=True).decode()
    except ValueError as error:
        raise wrong_cursor() from error
    if not (key and key.isprintable()):  # no key of ours, and PostgreSQL compares no NUL
        raise wrong_cursor()
    return key

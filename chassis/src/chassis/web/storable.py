"""Text that no column can hold: PostgreSQL's takes neither NUL nor half of a surrogate pair."""

import re
from collections.abc import Iterator
from typing import Any

UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
# What JSON can say of it: halves of surrogate pairs are no characters to a schema.
STORABLE = r"^[^\x00]*$"
MESSAGE = "text without NUL and without half surrogates"


def is_storable(text: str) -> bool:
    return UNSTORABLE.search(text) is None


def unstorable_fields(value: Any, path: tuple[str, ...] = ()) -> Iterator[str]:
    """Where in a JSON value such text stands, as `lines.0.productId`; names of fields count too."""
    match value:
        case str() if not is_storable(value):
            yield ".".join(path)
        case dict():
            for name, member in value.items():
                if is_storable(name):
                    yield from unstorable_fields(member, (*path, name))
                else:
                    yield ".".join((*path, UNSTORABLE.sub("?", name)))
        case list():
            for index, member in enumerate(value):
                yield from unstorable_fields(member, (*path, str(index)))

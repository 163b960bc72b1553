"""XStream's name escaping: keys of metadata as names of XML elements, and back.

Netflix's servers and clients write their XML with XStream, and undo its escapes as they read.
"""

import re
from functools import lru_cache

ESCAPES = {"$": "_-", "_": "__"}
# XStream leaves letters of all languages and the colon as they are.  Those who read it undo the
# escapes of these too, and for whoever parses strictly one such name would spoil the whole list.
TO_ESCAPE = re.compile(r"[^a-zA-Z0-9.-]|^[^a-zA-Z]")
ESCAPED = re.compile(r"_(?:-|_|(\.)(.{4}|))")


@lru_cache(maxsize=1024)
def escape_name(name: str) -> str:
    return TO_ESCAPE.sub(lambda match: ESCAPES.get(match[0]) or _units(match[0]), name) or "_"


def _units(character: str) -> str:
    """Java counts in halves of a character where one is beyond 16 bits."""
    return re.sub("....", r"_.\g<0>", character.encode("utf-16-be", "surrogatepass").hex())


def unescape_name(name: str) -> str:
    """Raises ValueError for an escape that means nothing."""
    if "_" not in name:
        return name
    plain = ESCAPED.sub(_original, name)
    return plain.encode("utf-16-be", "surrogatepass").decode("utf-16-be", "surrogatepass")


def _original(match: re.Match[str]) -> str:
    return chr(int(match[2], 16)) if match[1] else "$" if match[0] == "_-" else "_"

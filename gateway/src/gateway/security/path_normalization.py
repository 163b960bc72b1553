"""One spelling for every path, before a rule or a service sees it (RFC 3986, 6.2.2).

What servers read differently is refused, as Spring Security's StrictHttpFirewall does it; merging
slashes is Envoy's `merge_slashes`.  So the rule that is found is that of the path which is sent.
"""

import re
from urllib.parse import unquote_to_bytes

from chassis.core.errors import BadRequest, NotFound

# Hardly any path has one of these, and one look says so.
ODD = re.compile(r"[%\\;]|//|/\.")
PERCENT = re.compile(r"%([0-9A-Fa-f]{2})?")
TWICE_ENCODED = re.compile(r"%25[0-9A-Fa-f]{2}")
UNRESERVED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
BACKSLASH = "\\"
# Whoever decodes before taking a path apart ends a segment here, or the path.
ENCODED_DELIMITER = re.compile("%(?:2F|3B|3F|23)")
DECODED = {"%2F": "/", "%3B": ";", "%3F": "?", "%23": "?"}
PARAMETERS = re.compile(r";[^/]*")
DOTS = (".", "..")
BACKSLASHES = "The path has a backslash, which some servers take for a slash."


def normalized(path: str) -> str:
    """`path` as RFC 3986 would have it spelled: decoded where that changes nothing, upper-case
    otherwise, without dot segments and empty ones.

    Raises BadRequest for what two servers could take for two paths, and NotFound for what nothing
    has as a name.
    """
    if not ODD.search(path):
        return path
    if BACKSLASH in path:
        raise BadRequest(BACKSLASHES)
    if ";" in path:
        raise BadRequest("The path has a semicolon, which some servers cut off: write it as %3B.")
    spelled = PERCENT.sub(_one_spelling, path)
    if TWICE_ENCODED.search(spelled):
        raise BadRequest("The path is percent-encoded twice: encode it once.")
    _check_is_text(spelled)
    return _without_dots(spelled)


def other_reading(path: str) -> str | None:
    """A normalized path as a server reads it that decodes before it takes the path apart.

    None when that is no other one.
    """
    if "%" not in path or not ENCODED_DELIMITER.search(path):
        return None
    decoded = ENCODED_DELIMITER.sub(lambda delimiter: DECODED[delimiter[0]], path).partition("?")[0]
    return _without_dots(PARAMETERS.sub("", decoded))


def _one_spelling(encoded: re.Match[str]) -> str:
    if encoded[1] is None:
        raise BadRequest("The path has a % without two hexadecimal digits: write it as %25.")
    character = chr(int(encoded[1], 16))
    if character < " " or character == "\x7f":
        # No service has a thing of this name, and some would read it only up to here.
        raise NotFound("The path has a control character, and no address has one.")
    if character == BACKSLASH:
        raise BadRequest(BACKSLASHES)
    return character if character in UNRESERVED else encoded[0].upper()


def _check_is_text(path: str) -> None:
    try:
        unquote_to_bytes(path).decode()
    except UnicodeDecodeError as error:
        raise NotFound("The path is not UTF-8, and every address is.") from error


def _without_dots(path: str) -> str:
    """RFC 3986, 5.2.4, with empty segments taken out: `..` goes back by one that has a name."""
    first, *segments = path.split("/")
    if first or not segments:
        return path  # `*`, or what CONNECT has: no path
    resolved: list[str] = []
    for segment in segments:
        if segment == "..":
            del resolved[-1:]
        elif segment and segment != ".":
            _check_hides_no_dots(segment)
            resolved.append(segment)
    ends_in_slash = segments[-1] in ("", *DOTS) and resolved
    return f"/{'/'.join(resolved)}/" if ends_in_slash else f"/{'/'.join(resolved)}"


def _check_hides_no_dots(segment: str) -> None:
    if "%" in segment and any(part in DOTS for part in ENCODED_DELIMITER.split(segment)):
        raise BadRequest("The path has a dot segment behind an encoded delimiter.")

"""`host[:port]` as a request may name it (RFC 3986, 3.2.2; RFC 9112, 3.2)."""

import re
from functools import lru_cache
from ipaddress import AddressValueError, IPv6Address

# A comma could be in a name too, but in a header it is the mark of a second one.
NAME = r"(?:[A-Za-z0-9._~!$&'()*+;=-]|%[0-9A-Fa-f]{2})+"
AUTHORITY = re.compile(rf"(?:{NAME}|\[(?P<ipv6>[0-9A-Fa-f:.]+)\])(?::(?P<port>[0-9]{{0,5}}))?")
HIGHEST_PORT = 65_535


@lru_cache(maxsize=256)
def is_valid(text: str) -> bool:
    """Whether `text` is one host, and a port or none."""
    match = AUTHORITY.fullmatch(text)
    if match is None:
        return False
    ipv6, port = match.groups()
    return (ipv6 is None or _is_ipv6(ipv6)) and (not port or int(port) <= HIGHEST_PORT)


def _is_ipv6(text: str) -> bool:
    try:
        IPv6Address(text)
    except AddressValueError:
        return False
    return True

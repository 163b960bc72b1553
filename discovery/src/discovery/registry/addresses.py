"""Which addresses nobody may register: behind some of them are keys to the whole machine.

Whoever calls an instance goes where it says it is: server-side request forgery (OWASP), with the
metadata service of a cloud as the usual prey.  So an address is looked at as those read it who
would call it, in each of its spellings.
"""

import re
import socket
import unicodedata
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from urllib.parse import unquote

Address = IPv4Address | IPv6Address

REFUSED = tuple(
    ip_network(text)
    for text in (
        "169.254.0.0/16",  # link-local, with the metadata services of AWS, Azure, Google
        "fe80::/10",
        "fd00:ec2::/32",  # AWS
        "fd20:ce::/32",  # Google
        "100.100.100.200/32",  # Alibaba
        "192.0.0.192/32",  # Oracle
        "168.63.129.16/32",  # Azure
        "0.0.0.0/32",  # whoever calls it calls itself
        "::/128",
        "224.0.0.0/4",  # several at once
        "ff00::/8",
        "255.255.255.255/32",
    )
)
REFUSED_NAMES = ("metadata", "metadata.google.internal", "metadata.goog", "instance-data")
# An IPv4 address within an IPv6 one: mapped and compatible, translated (RFC 6052, 8215), 6to4.
EMBEDDED = (
    (ip_network("::ffff:0:0/96"), 0),
    (ip_network("::ffff:0:0:0/96"), 0),
    (ip_network("::/96"), 0),
    (ip_network("64:ff9b::/96"), 0),
    (ip_network("64:ff9b:1::/48"), 0),
    (ip_network("2002::/16"), 80),
)
# Browsers take any number of slashes behind a scheme, and none at all.
BEFORE_AUTHORITY = re.compile(r"\s*(?:[a-z][a-z0-9+.-]*:[/\\]*|[/\\]{2,})", re.IGNORECASE)
END_OF_AUTHORITY = re.compile(r"[/\\?#]")
PORT = re.compile(r":[^:\]]*$")
MAX_UNQUOTED = 3


def is_refused(address: Address) -> bool:
    return any(one in network for one in _meant(address) for network in REFUSED)


def _meant(address: Address) -> Iterable[Address]:
    """It, and the IPv4 address that is written into it."""
    yield address
    if isinstance(address, IPv6Address):
        for network, shift in EMBEDDED:
            if address in network:
                yield IPv4Address(int(address) >> shift & 0xFFFF_FFFF)


def is_refused_name(host: str) -> bool:
    return host in REFUSED_NAMES


def literal(host: str) -> Address | None:
    """The address that `host` spells, as the resolvers of this world read it; None for a name.

    Among the spellings of 169.254.169.254 are 2852039166 and 0xa9.0376.43518.
    """
    try:
        return ip_address(host.partition("%")[0])
    except ValueError:
        pass
    try:
        return IPv4Address(socket.inet_aton(host))
    except (OSError, ValueError):
        return None


def plain(host: str) -> str:
    """`host` as it is called: without brackets, in lower case, decoded and composed."""
    for _ in range(MAX_UNQUOTED):
        host = unquote(host)
    host = unicodedata.normalize("NFKC", host).replace("\u3002", ".")
    return "".join(host.split()).strip("[]").rstrip(".").lower()


def host_of(url: str) -> str:
    """The host of an address of the web, however it is written; empty for a path alone."""
    before = BEFORE_AUTHORITY.match(url)
    if before is None:
        return ""
    authority = END_OF_AUTHORITY.split(url[before.end() :], maxsplit=1)[0]
    return PORT.sub("", authority.rpartition("@")[2])


def is_local(remote: str) -> bool:
    """Whether `remote`, the address of a connection, is on this machine."""
    address = literal(remote)
    return address is None or any(one.is_loopback for one in _meant(address))

"""Which replicas there are, besides this one."""

import socket
from collections.abc import Iterable
from urllib.parse import urlsplit

WILDCARDS = ("0.0.0.0", "::")


def parse_addresses(default_zone: str) -> list[str]:
    """The addresses in that comma-separated list, each once, with a slash at their end."""
    addresses = (address.strip().rstrip("/") for address in default_zone.split(","))
    return list(dict.fromkeys(f"{address}/" for address in addresses if address))


def other_replicas(addresses: Iterable[str], bind: str, port: int) -> list[str]:
    """Those that are not this process, which listens on `bind`:`port`.  Resolves host names."""
    return [address for address in addresses if not is_own(address, bind, port)]


def is_own(address: str, bind: str, port: int) -> bool:
    try:
        parts = urlsplit(address)
        if (parts.port or 80) != port:
            return False
    except ValueError:
        return False
    resolved = _addresses(parts.hostname or "")
    if bind in WILDCARDS:
        return any(_is_of_this_machine(address) for address in resolved)
    return not resolved.isdisjoint(_addresses(bind))


def _addresses(host: str) -> set[str]:
    try:
        return {str(info[4][0]) for info in socket.getaddrinfo(host, None)}
    except OSError:
        return set()


def _is_of_this_machine(address: str) -> bool:
    """Only an address of one's own can be bound to."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind((address, 0))
        except OSError:
            return False
    return True

"""Addresses of instances in what a service answers: they mean nothing outside, and stay here.

As Apache's ProxyPassReverse has it, but in every header.
"""

import re
from functools import lru_cache
from ipaddress import ip_address

from chassis.discovery.instances import Instance

URL = re.compile(
    r"""(?:\b(?P<scheme>https?|wss?):|(?<![:\w]))//   # with a scheme, or with the client's
        (?:[^/?\#\s<>"'@]*@)?                         # who logs in there, if anybody
        (?P<host>\[[\w:.%]*\]|[^/?\#\s<>"'\\:,;@\[\]]+)
        (?::(?P<port>\d{0,5}))?
        (?=[/?\#\\\s<>"',;)]|$)""",
    re.IGNORECASE | re.VERBOSE,
)
DOMAIN = re.compile(r";\s*domain\s*=\s*\.?([^;]*)", re.IGNORECASE)
PORTS = {"https": 443, "wss": 443}


def without_addresses(value: str, instance: Instance, prefix: str, service: str) -> str:
    """`value` with the gateway's path in the place of each address of `instance`.

    `service` is what it is called outside, for what is only a host and its port.
    """

    def path(url: re.Match[str]) -> str:
        if not _is_of(instance, url["host"], url["port"], url["scheme"]):
            return url[0]
        rest = value[url.end() : url.end() + 2]
        if not rest.startswith("/"):
            return prefix + "/"
        # `//` at the very beginning would be an address again.
        return prefix or ("/." if rest in ("//", "/\\") else "")

    value = URL.sub(path, value)
    if instance.authority not in value:
        return value
    return re.sub(rf"(?<![\w.]){re.escape(instance.authority)}(?![\w@]|\.\w)", service, value)


def without_domain(cookie: str, instance: Instance) -> str:
    """A Set-Cookie for the host that the client knows, if it was for the instance's."""

    def domain_or_none(domain: re.Match[str]) -> str:
        return "" if _canonical(domain[1]) in _names(instance) else domain[0]

    return DOMAIN.sub(domain_or_none, cookie)


def _is_of(instance: Instance, host: str, port: str | None, scheme: str | None) -> bool:
    number = int(port) if port else PORTS.get((scheme or "").lower(), 80)
    return number == instance.port and _canonical(host) in _names(instance)


def _names(instance: Instance) -> tuple[str, ...]:
    address = _canonical(instance.host)
    local = ("localhost",) if address == "::1" or address.startswith("127.") else ()
    return (address, _canonical(instance.host_name or address), *local)


@lru_cache(maxsize=1024)
def _canonical(host: str) -> str:
    """One spelling for all: of a name in lower case, of an address without brackets and zone."""
    plain = host.strip().strip("[]").partition("%")[0].rstrip(".").lower()
    try:
        address = ip_address(plain)
    except ValueError:
        return plain
    return str(getattr(address, "ipv4_mapped", None) or address)

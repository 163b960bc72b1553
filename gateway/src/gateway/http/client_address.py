"""Where a request comes from: an IP address, and the network that stands for one client."""

from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

# Whoever has one address of IPv6 usually has all of its network.
IPV6_PREFIX = 64


@lru_cache(maxsize=4096)
def address(text: str) -> IPv4Address | IPv6Address | None:
    """An IPv4 address that came in an IPv6 one is what it stands for."""
    try:
        parsed = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return getattr(parsed, "ipv4_mapped", None) or parsed


@lru_cache(maxsize=4096)
def network(text: str) -> str:
    """The address of IPv4, the /64 of IPv6: what counts as one client."""
    parsed = address(text)
    if isinstance(parsed, IPv6Address):
        return str(IPv6Network((parsed, IPV6_PREFIX), strict=False))
    return str(parsed or text)

"""What every answer tells a browser, unless the service says it itself.

As OWASP's REST Security Cheat Sheet has it for data; a page says itself what it is made of.
"""

from collections.abc import Container, Mapping
from functools import lru_cache
from types import MappingProxyType

NO_SNIFFING = "X-Content-Type-Options"
REFERRER = "Referrer-Policy"
POLICY = "Content-Security-Policy"
# Data that a browser shows all the same runs nothing and is framed by nobody.
OF_DATA = "default-src 'none'; frame-ancestors 'none'"
OF_PAGES = "frame-ancestors 'self'"
PAGES = ("text/html", "application/xhtml+xml")
TRANSPORT = "Strict-Transport-Security"


def unsaid(names: Container[bytes], content_type: str) -> Mapping[str, str]:
    """Those of which none is among `names`, which are in lower case."""
    return _of(
        b"x-content-type-options" in names,
        b"referrer-policy" in names,
        b"content-security-policy" in names,
        content_type.lower().startswith(PAGES),
    )


@lru_cache
def _of(sniffing: bool, referrer: bool, policy: bool, is_page: bool) -> Mapping[str, str]:
    headers = {}
    if not sniffing:
        headers[NO_SNIFFING] = "nosniff"
    if not referrer:
        headers[REFERRER] = "no-referrer"
    if not policy:
        headers[POLICY] = OF_PAGES if is_page else OF_DATA
    return MappingProxyType(headers)

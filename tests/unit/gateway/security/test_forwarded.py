"""Behind proxies that are trusted the client is the last address that is none of theirs."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some
from multidict import CIMultiDict

from gateway.http import client_address
from gateway.security.forwarded import TrustedProxies, origin, trusted_proxies

PROXIES = trusted_proxies("10.0.0.0/8, fd00::/8")
PROXY, NEXT_PROXY = "10.0.0.1", "fd00::2"
CLIENT = "203.0.113.9"


def address(remote: str = PROXY, **headers: str | list[str]) -> str:
    given = [
        (name.replace("_", "-"), line)
        for name, lines in headers.items()
        for line in ([lines] if isinstance(lines, str) else lines)
    ]
    return origin(remote, CIMultiDict(given), PROXIES).address


@pytest.mark.parametrize(
    ("headers", "client"),
    [
        ({}, PROXY),
        ({"X_Forwarded_For": CLIENT}, CLIENT),
        ({"X_Forwarded_For": f"1.1.1.1, {CLIENT}, 10.9.9.9"}, CLIENT),
        ({"X_Forwarded_For": ["1.1.1.1", f"{CLIENT}:4711", NEXT_PROXY]}, CLIENT),
        ({"X_Forwarded_For": f"1.1.1.1,, {CLIENT} ,"}, CLIENT),
        ({"X_Forwarded_For": "[2001:db8::1]:80, 10.2.2.2"}, "2001:db8::1"),
        ({"X_Forwarded_For": "::ffff:203.0.113.9"}, CLIENT),
        ({"X_Forwarded_For": "10.3.3.3, 10.2.2.2"}, "10.3.3.3"),
        ({"X_Forwarded_For": f"{CLIENT}, unknown"}, PROXY),
        ({"X_Forwarded_For": f"{CLIENT}, 10.2.2.2 10.3.3.3"}, PROXY),
        ({"X_Forwarded_For": f"{CLIENT}, unknown, 10.2.2.2"}, "10.2.2.2"),
        ({"X_Forwarded_For": ""}, PROXY),
        ({"Forwarded": f"for={CLIENT}"}, CLIENT),
        ({"Forwarded": f'For="{CLIENT}:1";proto=https;by=10.0.0.1 , for=10.2.2.2'}, CLIENT),
        ({"Forwarded": ["for=1.1.1.1", 'for="[2001:db8::1]:80"']}, "2001:db8::1"),
        ({"Forwarded": f"for={CLIENT}, for=_hidden"}, PROXY),
        ({"Forwarded": f"for={CLIENT}, proto=https"}, PROXY),
        ({"Forwarded": f'for={CLIENT};x=", for=10.2.2.2'}, PROXY),
        ({"Forwarded": f"for={CLIENT}", "X_Forwarded_For": f"1.1.1.1, {CLIENT}"}, CLIENT),
        ({"Forwarded": "for=1.1.1.1", "X_Forwarded_For": CLIENT}, PROXY),
        ({"Forwarded": "nonsense", "X_Forwarded_For": CLIENT}, PROXY),
    ],
)
def test_the_client_is_the_last_that_is_no_proxy(headers: Any, client: str) -> None:
    assert address(**headers) == client


def test_who_is_no_proxy_is_the_client_whatever_it_says() -> None:
    said = {"X_Forwarded_For": PROXY, "Forwarded": f"for={PROXY}", "X_Forwarded_Proto": "https"}

    assert address(CLIENT, **said) == CLIENT
    assert origin(PROXY, CIMultiDict({"X-Forwarded-For": "1.1.1.1"}), TrustedProxies()) == (
        *(PROXY, "http", ()),
    )


@pytest.mark.parametrize(
    ("proto", "scheme"), [("https", "https"), ("http, HTTPS", "https"), ("x", "http"), ("", "http")]
)
def test_a_proxy_says_whether_it_was_asked_by_tls(proto: str, scheme: str) -> None:
    said = CIMultiDict({"X-Forwarded-Proto": proto, "X-Forwarded-For": CLIENT})

    assert origin(PROXY, said, PROXIES).scheme == scheme


@pytest.mark.parametrize(
    ("written", "inside", "outside"),
    [
        ("127.0.0.1", "127.0.0.1", "127.0.0.2"),
        (["10.0.0.0/8", "::1"], "::1", "::2"),
        (r"10\.0\.0\..*", "10.0.0.7", "10.0.1.7"),
        (r"127\.0\.0\.1|192\.168\.\d+\.\d+", "192.168.3.4", "192.169.3.4"),
        ("10.0.0.0/8", "::ffff:10.1.1.1", "unknown"),
    ],
)
def test_proxies_are_networks_or_springs_expression(
    written: Any, inside: str, outside: str
) -> None:
    trusted = trusted_proxies(written)

    assert (trusted.trusts(inside), trusted.trusts(outside)) == (True, False)


@pytest.mark.parametrize("written", [["10.0.0.0/33"], "10.(", ["x"]])
def test_what_is_neither_is_refused(written: Any) -> None:
    with pytest.raises(ValueError, match=r"."):
        trusted_proxies(written)


PIECES = (
    *('"', "\\", ",", ";", "=", "for=", "For=", "for", " ", "\t", "[", "]", ":", "%", "é"),
    *("1.1.1.1", "10.1.1.1", "::1", "unknown", "_x", "proto=https", 'for="', '"\\"', "999.9"),
)
MALFORMED = some.lists(some.sampled_from(PIECES), max_size=12).map("".join)


@given(MALFORMED, some.sampled_from(["", '"', ';x="', "\\"]))
def test_nothing_that_a_client_writes_makes_it_another(text: str, end: str) -> None:
    """Its proxy has written the client's address behind that."""
    for headers in (
        {"X_Forwarded_For": f"{text}{end}, {CLIENT}"},
        {"Forwarded": f"{text}{end}, for={CLIENT}"},
        {"Forwarded": f'{text}{end}, for="{CLIENT}";proto=http;host="shop"'},
        {"Forwarded": text + end, "X_Forwarded_For": CLIENT},
        {"X_Forwarded_For": text + end, "Forwarded": f"for={CLIENT}"},
    ):
        assert address(**headers) in (CLIENT, PROXY)


@given(MALFORMED)
def test_whatever_a_proxy_says_there_is_an_address(text: str) -> None:
    for name in ("Forwarded", "X_Forwarded_For"):
        assert client_address.address(address(**{name: text})) is not None

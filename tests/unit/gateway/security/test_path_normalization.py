"""However a path is spelled, the rule that is found is that of the path which is sent on."""

import time
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as some

from chassis.core.errors import BadRequest, NotFound, Problem
from gateway.routing.request_view import RequestView
from gateway.security.path_normalization import normalized
from gateway.security.path_spellings import spellings

from ..shop import Shop, entry

PATHS = ("/order-service/orders", "/order-service/admin/x", "/catalog-service/catalogs")
SHOP = Shop(
    entry("admin", predicates=["Path=/order-service/admin/**"]),
    entry("order-service"),
    entry("catalog-service", "StripPrefix=1"),
)


@pytest.mark.parametrize(
    ("spelled", "path"),
    [
        ("/", "/"),
        ("/a/b", "/a/b"),
        ("/a/b/", "/a/b/"),
        ("/%61/%7E%2d", "/a/~-"),
        ("/a%2fb%c3%bc", "/a%2Fb%C3%BC"),
        ("/a%20b%25", "/a%20b%25"),
        ("//a///b//", "/a/b/"),
        ("/./a/./b/.", "/a/b/"),
        ("/a/../b", "/b"),
        ("/a/b/..", "/a/"),
        ("/a/%2e%2E/b", "/b"),
        ("/../../a", "/a"),
        ("/a/..", "/"),
        ("/a/.../.b/c..", "/a/.../.b/c.."),
        ("/a/b%3Bc", "/a/b%3Bc"),
    ],
)
def test_a_path_has_one_spelling(spelled: str, path: str) -> None:
    assert normalized(spelled) == path


@pytest.mark.parametrize(
    "path",
    [
        *("/a;x=1/b", "/a/..;x/b", "/a\\b", "/a%5Cb", "/a%5cb", "/a/..%2fb", "/a/%2e%2e%2Fb"),
        *("/a%2f..", "/a%2F./b", "/..%3bx/a", "/%2541", "/%25%34%31", "/%252e%252e/a", "/a%252Fb"),
        *("/%", "/%4", "/%zz", "/a%2"),
    ],
)
def test_what_servers_read_differently_is_refused(path: str) -> None:
    with pytest.raises(BadRequest):
        normalized(path)


@pytest.mark.parametrize(
    "path",
    ["/a%00", "/%0d%0a", "/%7f", "/%c0%ae%c0%ae/a", "/%e0%80%af", "/%ff", "/%ed%a0%80", "/%c3"],
)
def test_what_is_the_name_of_nothing_is_not_found(path: str) -> None:
    with pytest.raises(NotFound):
        normalized(path)


@some.composite
def spelled(draw: some.DrawFn) -> str:
    """One of the paths, as nobody would write it."""
    detours = ["/", "/.", "/x/..", "/%2e", "/x/%2E%2e", "/%2e./", "/;", "/..;x", "%2f", "/..%2F"]
    detours += [
        "\\",
        "/..\\",
        "%5c",
        "%00",
        "%252f",
        "%3b",
        "%3F",
        "%23x",
        "%c0%af",
        "/../",
        "//..",
    ]
    text = ""
    for character in draw(some.sampled_from(PATHS)):
        if character == "/" and draw(some.integers(0, 5)) == 0:
            text += draw(some.sampled_from(detours))
        how = draw(some.integers(0, 12))
        code = f"{ord(character):02x}"
        text += {0: f"%{code}", 1: f"%{code.upper()}", 2: f"%25{code}"}.get(how, character)
    return text


@given(spelled())
@example("/order-service/admin%2Fx")
@example("/order-service%2Fadmin/x")
@example("/order-service/admin%3Bx/y")
@example("/x/..%2forder-service/admin/x")
def test_no_server_reads_the_path_of_another_rule_in_what_it_is_sent(path: str) -> None:
    try:
        sent = normalized(path)
    except Problem:
        return
    assert normalized(sent) == sent
    route = SHOP.rules.find(RequestView("GET", sent))
    if route is not None:
        for reading in spellings(sent):
            assert SHOP.rules.find(RequestView("GET", reading)) in (route, None)


@given(some.text(some.characters(codec="ascii"), max_size=60).map(lambda text: "/" + text))
def test_any_path_is_normalized_or_refused(path: str) -> None:
    try:
        sent = normalized(path)
    except (BadRequest, NotFound):
        return
    assert normalized(sent) == sent
    assert sent.startswith("/")
    assert not {"", ".", ".."} & set(sent.rstrip("/").split("/")[1:])


def test_a_draw_between_versions_is_no_other_reading() -> None:
    shop = Shop(*(entry(f"a{i}", predicates=["Path=/a/**", f"Weight=g, {i}"]) for i in (1, 2)))

    found: list[Any] = [shop.rules.find(RequestView("GET", "/a/b%2Fc")) for _ in range(50)]

    assert None not in found


@pytest.mark.parametrize("part", ["/..", "%2e", "%2F", "//", "/.", "%c3%bc"])
def test_a_long_path_is_normalized_in_no_time(part: str) -> None:
    path = "/" + part * (8_000 // len(part))
    began = time.perf_counter()
    normalized(path)

    assert time.perf_counter() - began < 0.1

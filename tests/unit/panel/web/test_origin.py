"""Who may ask the panel: browsers under its own names, from its own pages."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.core.errors import Forbidden
from panel.web.origin import authorities, check

ALLOWED = authorities(("127.0.0.1",), (8080,), ("shop.example:8443",))


def ask(host: str, method: str = "GET", path: str = "/api/state", **headers: str) -> None:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    check(ALLOWED, method, path, [host], named)


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1:8080", "localhost:8080", "LOCALHOST:8080", "[::1]:8080", "shop.example:8443"],
)
def test_the_panel_goes_by_its_own_names(host: str) -> None:
    ask(host)
    ask(host, "POST", "/api/hands/kill", Origin=f"http://{host}", Sec_Fetch_Site="same-origin")


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:8080",
        "127.0.0.1",
        "127.0.0.1:8000",
        "localhost.evil.example:8080",
        "127.0.0.1:8080.evil.example",
        "shop.example:8080",
        "shop.example",
        "localhost.:8080",
        "127.1:8080",
        "0.0.0.0:8080",
        "",
    ],
)
def test_another_host_is_refused_whatever_is_asked(host: str) -> None:
    for method, path in (("GET", "/"), ("GET", "/api/state"), ("POST", "/api/hands/kill")):
        with pytest.raises(Forbidden) as refused:
            ask(host, method, path)
        assert refused.value.code == "foreign-host"


def test_its_health_is_told_under_any_name_and_nothing_else_of_the_actuator_is() -> None:
    ask("panel:8080", "GET", "/actuator/health")
    for method, path in (("POST", "/actuator/health"), ("GET", "/actuator/env")):
        with pytest.raises(Forbidden):
            ask("panel:8080", method, path)


@given(st.text(max_size=40))
def test_only_listed_hosts_are_taken(host: str) -> None:
    if host.lower() in ALLOWED:
        return
    with pytest.raises(Forbidden):
        ask(host)


def test_no_host_and_two_hosts_are_refused() -> None:
    for hosts in ([], ["127.0.0.1:8080", "evil.example"]):
        with pytest.raises(Forbidden):
            check(ALLOWED, "GET", "/", hosts, {})


@pytest.mark.parametrize(
    "origin",
    [
        "http://evil.example",
        "null",
        "http://127.0.0.1:8000",
        "http://127.0.0.1:8080.evil.example",
        "http://evil.example/http://127.0.0.1:8080",
        "file://",
        "http://user@127.0.0.1:8080",
        "ftp://127.0.0.1:8080",
        "",
    ],
)
def test_another_origin_is_refused(origin: str) -> None:
    with pytest.raises(Forbidden) as refused:
        ask("127.0.0.1:8080", "POST", Origin=origin)
    assert refused.value.code == "foreign-origin"


@pytest.mark.parametrize("site", ["cross-site", "same-site", "anything"])
def test_a_page_of_another_site_fetches_nothing_and_may_only_link_here(site: str) -> None:
    with pytest.raises(Forbidden):
        ask("127.0.0.1:8080", Sec_Fetch_Site=site, Sec_Fetch_Mode="no-cors")
    with pytest.raises(Forbidden):  # a frame
        ask(
            "127.0.0.1:8080",
            path="/",
            Sec_Fetch_Site=site,
            Sec_Fetch_Mode="navigate",
            Sec_Fetch_Dest="iframe",
        )
    with pytest.raises(Forbidden):
        ask(
            "127.0.0.1:8080",
            "POST",
            "/",
            Sec_Fetch_Site=site,
            Sec_Fetch_Mode="navigate",
            Sec_Fetch_Dest="document",
        )

    ask(
        "127.0.0.1:8080",
        path="/",
        Sec_Fetch_Site=site,
        Sec_Fetch_Mode="navigate",
        Sec_Fetch_Dest="document",
    )


def test_a_panel_on_all_addresses_does_not_go_by_the_wildcard() -> None:
    assert "0.0.0.0:8080" not in authorities(("0.0.0.0",), (8080,), ())
    assert "192.168.1.5:8080" in authorities(("192.168.1.5",), (8080,), ())
    assert "[fd00::5]:8080" in authorities(("fd00::5",), (8080,), ())

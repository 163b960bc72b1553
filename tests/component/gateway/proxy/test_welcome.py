"""The page at `/`, for browsers only."""

import pytest

from ..conftest import Shop
from ..routes import configure, route
from ..test_refusals import check

BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}


def test_a_browser_gets_a_page_with_links(shop: Shop) -> None:
    answer = shop.call("/", headers=BROWSER)

    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    for link in ("/catalog-service/catalogs", "/actuator/health", "http://zipkin.example/zipkin/"):
        assert f'<a href="{link}">' in answer.text
    assert "<code>/order-service/</code>" in answer.text
    assert shop.call("/", "HEAD", headers=BROWSER).status_code == 200


def test_a_browser_is_sent_to_the_panel_where_there_is_one(shop: Shop) -> None:
    configure(shop, **{"fusebox.pages.panel": "http://panel.example:8080"})

    answer = shop.call("/", headers=BROWSER)

    assert answer.status_code == 302
    assert answer.headers["Location"] == "http://panel.example:8080/"
    assert (answer.headers["Vary"], answer.headers["Cache-Control"]) == ("Accept", "no-store")
    check(shop.call("/", headers={"Accept": "application/json"}), 404, "not-found")


@pytest.mark.parametrize("accept", ["*/*", "application/json", ""])
def test_whoever_else_asks_is_told_that_nothing_is_there(shop: Shop, accept: str) -> None:
    check(shop.call("/", headers={"Accept": accept}), 404, "not-found")


def test_only_the_root_has_a_page(shop: Shop) -> None:
    check(shop.call("/nothing", headers=BROWSER), 404, "not-found")
    check(shop.call("/", "POST", headers=BROWSER), 405, "method-not-allowed")


def test_a_route_for_everything_takes_the_root_too(shop: Shop) -> None:
    shop.upstream()
    configure(shop, route("all", uri="lb://order-service", predicates=["Path=/**"], filters=[]))

    assert shop.call("/", headers=BROWSER).json()["path"] == "/"

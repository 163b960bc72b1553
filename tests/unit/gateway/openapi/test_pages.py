"""The description at its two addresses: for programs, and for people without any script."""

import asyncio
import json
import re
from html.parser import HTMLParser

import pytest
from multidict import CIMultiDict

from chassis.core.errors import MethodNotAllowed
from gateway.openapi import page
from gateway.openapi.document import DescribedService
from gateway.openapi.pages import DescriptionPages
from gateway.openapi.service_descriptions import ServiceDescription
from gateway.routing.exchange import GatewayResponse, chain
from gateway.routing.request_view import RequestView
from gateway.routing.route import NO_ROUTE

from ..shop import Shop

HOSTILE = "<script>alert(1)</script>"


class Reader:
    """Asks for the pages as the chain of filters does."""

    def __init__(self) -> None:
        self.services: list[DescribedService] = []
        self.handler = chain((DescriptionPages(lambda: list(self.services), "7").filter,), beyond)

    def get(self, path: str, method: str = "GET", **headers: str) -> GatewayResponse:
        fields = CIMultiDict({name.replace("_", "-"): text for name, text in headers.items()})
        view = RequestView(method, path, headers=fields, host="shop.example:8000")

        async def answer() -> GatewayResponse:
            return await self.handler(Shop.by(NO_ROUTE, view))

        return asyncio.run(answer())


async def beyond(_: object) -> GatewayResponse:
    return GatewayResponse(299, [])


@pytest.fixture
def reader() -> Reader:
    return Reader()


def hostile() -> DescribedService:
    operation = {
        "operationId": HOSTILE,
        "summary": HOSTILE,
        "description": HOSTILE,
        "security": [{"bearer": [HOSTILE]}],
        "responses": {"200": {"description": HOSTILE}},
    }
    part = {"paths": {f"/{HOSTILE}": {"get": operation}}}
    return DescribedService("/x-service", "x-service", ServiceDescription(part))


def test_programs_get_json_that_they_need_not_fetch_twice(reader: Reader) -> None:
    first = reader.get("/openapi.json")
    etag = dict(first.headers)["ETag"]

    assert first.body is not None
    assert json.loads(first.body)["openapi"].startswith("3.1.")
    assert reader.get("/openapi.json", If_None_Match=etag).status == 304
    assert reader.get("/openapi.json", If_None_Match=f'"another", W/{etag}').status == 304
    assert reader.get("/openapi.json", If_None_Match="*").status == 304
    assert reader.get("/openapi.json", If_None_Match='"another"').status == 200


def test_it_is_made_again_when_a_service_has_come(reader: Reader) -> None:
    before = reader.get("/openapi.json").body
    reader.services.append(hostile())

    assert reader.get("/openapi.json").body != before


def test_people_get_a_page_that_loads_nothing_and_runs_nothing(reader: Reader) -> None:
    response = reader.get("/docs")
    headers, html = dict(response.headers), (response.body or b"").decode()

    assert headers["Content-Type"].startswith("text/html")
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert re.findall(r"<script|<img|<iframe|\son\w+=|\sstyle=", html) == []
    [icon, *links] = re.findall(r'href="([^"]*)"', html)
    assert icon.startswith("data:image/svg+xml,")
    assert [link for link in links if link[0] not in "#/"] == []


def test_the_page_names_every_operation_with_a_command_to_paste(reader: Reader) -> None:
    html = (reader.get("/docs").body or b"").decode()

    for path in ("/openapi.json", "/docs", "/actuator/health"):
        assert f"<code>{path}</code>" in html
        assert f"curl -s http://shop.example:8000{path}" in html


def test_what_a_service_says_is_text_on_the_page(reader: Reader) -> None:
    reader.services.append(hostile())
    html = (reader.get("/docs").body or b"").decode()

    assert HOSTILE not in html
    assert "&lt;script&gt;" in html
    Tags().feed(html)


class Tags(HTMLParser):
    """Every element is closed where it should be."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        if tag not in ("meta", "br", "link"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.mark.parametrize("path", ["/openapi.json", "/docs"])
def test_another_method_is_refused_with_those_that_will_do(reader: Reader, path: str) -> None:
    with pytest.raises(MethodNotAllowed) as refused:
        reader.get(path, "POST")

    assert refused.value.allowed == ("GET", "HEAD")


@pytest.mark.parametrize("path", ["/docs/", "/docs/x", "/openapi", "/DOCS"])
def test_other_addresses_are_somebody_elses(reader: Reader, path: str) -> None:
    assert reader.get(path).status == 299


def test_the_policy_names_the_style_that_is_on_the_page(reader: Reader) -> None:
    html = (reader.get("/docs").body or b"").decode()

    assert f"<style>{page.STYLE}</style>" in html

"""The shop is asked directly, and who is not there is no error."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fusebox.core.stack import Stack
from fusebox.network import http
from fusebox.network.proxies import without_own_hosts

from ..fake_shop import FakeShop

PROXIES = ("http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY")
NOBODY = "http://127.0.0.1:9"


@pytest.fixture
def fake_shop() -> Iterator[FakeShop]:
    with FakeShop.opened() as shop:
        yield shop


def test_no_proxy_of_the_environment_is_asked_for_the_shop(
    fake_shop: FakeShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in PROXIES:
        monkeypatch.setenv(name, NOBODY)

    answer = http.get(f"{fake_shop.gateway}/actuator/health")

    assert (answer.ok, answer.json()) == (True, {"status": "UP"})


def test_a_document_arrives_as_json(fake_shop: FakeShop) -> None:
    user = {"email": "ann@fusebox.example"}

    answer = http.post(f"{fake_shop.gateway}/user-service/login", user)

    assert json.loads(answer.body)["userId"] == "ann"


@pytest.mark.parametrize(
    "url",
    [NOBODY, "http://a..b:80/x", f"http://{'a' * 64}.example/x", "http://[::1/x", "http://:0/"],
)
def test_who_is_not_there_or_cannot_be_gives_no_answer(url: str) -> None:
    assert http.get(url, timeout=2) == http.HttpResponse(0)


HOSTS = st.lists(st.from_regex(r"[a-z0-9.]{1,12}|\*", fullmatch=True), max_size=4)


@given(lower=HOSTS, upper=HOSTS)
def test_children_keep_the_proxies_and_their_exceptions_but_not_for_the_shop(
    lower: list[str], upper: list[str]
) -> None:
    stack = Stack(Path("/home"), Path("/clone"), bind="192.0.2.1")
    given = {"http_proxy": NOBODY, "no_proxy": ",".join(lower), "NO_PROXY": ", ".join(upper)}

    environment = without_own_hosts(given, stack)

    exceptions = environment["no_proxy"].split(",")
    assert environment["http_proxy"] == NOBODY
    assert environment["NO_PROXY"] == environment["no_proxy"]
    assert {*lower, *upper, "127.0.0.1", "localhost", "::1", "192.0.2.1"} == set(exceptions)

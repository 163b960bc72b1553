"""Rules that refuse: by path, method, address and header."""

from typing import Any

import pytest
from multidict import CIMultiDict

from chassis.core.errors import Forbidden
from gateway.routing.request_view import RequestView
from gateway.security import blocklist

RULE = {
    "id": "scrapers",
    "predicates": [
        "Path=/catalog-service/**",
        "Method=GET",
        "RemoteAddr=10.0.0.0/8",
        "Header=User-Agent, .*[Bb]ot.*",
    ],
}


def view(**changed: Any) -> RequestView:
    given = {
        "method": "GET",
        "path": "/catalog-service/x",
        "remote": "10.1.2.3",
        "headers": CIMultiDict({"User-Agent": "a Bot of sorts"}),
    }
    return RequestView(**{**given, **changed})


def test_what_all_predicates_hold_for_is_refused() -> None:
    with pytest.raises(Forbidden) as refused:
        blocklist.check(blocklist.parse([{**RULE, "detail": "Not you."}]), view())

    assert (refused.value.code, refused.value.detail) == ("blocked", "Not you.")


@pytest.mark.parametrize(
    "path",
    [
        "/catalog-service/x",
        "/%63atalog-service/x",
        "//catalog-service//x",
        "/y/../catalog-service/x",
        "/y%2F..%2Fcatalog-service%2Fx",
        "/./catalog-service",
        "/y/..;a/catalog-service/x",
        "/catalog-service;a=b/x",
        "/%2563atalog-service/x",
        "/y\\..\\catalog-service",
        "/catalog-service//../x",
    ],
)
def test_a_path_is_blocked_however_it_is_spelled(path: str) -> None:
    with pytest.raises(Forbidden):
        blocklist.check(blocklist.parse([RULE]), view(path=path))


@pytest.mark.parametrize(
    "changed",
    [
        {"path": "/order-service/x"},
        {"method": "POST"},
        {"remote": "11.1.2.3"},
        {"headers": CIMultiDict({"User-Agent": "Mozilla"})},
    ],
)
def test_what_one_predicate_does_not_hold_for_passes(changed: dict[str, Any]) -> None:
    blocklist.check(blocklist.parse([RULE]), view(**changed))


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ({"predicates": ["Method=GET"]}, "blocked 0: id: is missing"),
        ({"id": "x"}, "blocked x: predicates: at least one is needed"),
        ({"id": "x", "predicates": ["Path=y"]}, "blocked x: predicates[0]: 'Path=y': patterns: a"),
        ({"id": "x", "predicates": ["Weight=g,1"]}, "predicates[0]: 'Weight' is unknown"),
        ({"id": "x", "path": "/"}, "blocked x: path: unknown key (known: detail, id, predicates)"),
    ],
)
def test_a_wrong_rule_is_refused_with_its_name_and_key(rule: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match="blocked") as refused:
        blocklist.parse([rule])

    assert said in str(refused.value)

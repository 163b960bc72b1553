"""Whatever is written in a route is understood, or refused with its name: never anything else."""

from typing import Any

from hypothesis import example, given
from hypothesis import strategies as some
from multidict import CIMultiDict
from pydantic import ValidationError

from chassis.config import validation
from chassis.config.properties import to_tree
from gateway.routing import predicates, route_definitions
from gateway.routing.filters import factories
from gateway.routing.request_view import RequestView
from gateway.settings import GatewaySettings

ALPHABET = r"abzAZ019 /{}[]()<>?*.,:;=|\^$&!#%@'\"~+-_" + "\u00e9\u0663\ud7ff\n\0"
TEXTS = some.text(ALPHABET, max_size=24)
VALUES: Any = some.recursive(
    some.none() | some.booleans() | some.integers() | some.floats() | TEXTS,
    lambda inner: some.lists(inner, max_size=3) | some.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)
PREDICATES, FILTERS = sorted(predicates.FACTORIES), sorted(factories.FACTORIES)


def entries(names: list[str], factories: Any) -> Any:
    name = some.sampled_from(names)
    shortcut = some.builds("{}={}".format, name, some.lists(TEXTS, max_size=4).map(",".join))

    def long(name: str) -> Any:
        known = some.sampled_from([*factories[name].fields, *factories[name].more, "other"])
        args = some.dictionaries(known, VALUES, max_size=4)
        return some.fixed_dictionaries({"name": some.just(name), "args": args})

    return some.one_of(shortcut, name.flatmap(long), VALUES)


REQUEST = RequestView(
    "GET", "/a/b%2Fc//d", "a=1&b&%zz", CIMultiDict({"X": "1", "Cookie": "a=b;;"}), "[::1]:80", "::1"
)


@given(
    some.lists(entries(PREDICATES, predicates.FACTORIES), max_size=3),
    some.lists(entries(FILTERS, factories.FACTORIES), max_size=3),
    VALUES,
)
@example(["Path=/{a:(?<b>x)}"], [], None)
@example(["Header=X, (?U)a"], ["RewritePath=(?i)a, b"], None)
@example([], [{"name": "Retry", "args": {"retries": [], "backoff": {"factor": ""}}}], None)
def test_a_route_is_made_or_refused(conditions: Any, filters: Any, metadata: Any) -> None:
    entry = {"id": "r", "uri": "lb://x", "predicates": conditions, "filters": filters}
    refusal = ""
    try:
        route, *_ = route_definitions.parse([{**entry, "metadata": metadata}])
    except ValueError as error:
        refusal = str(error)
        route = None
    if route is None:
        assert refusal.startswith("route r: ")
        return

    if route.takes(REQUEST):
        assert route.inner_path(REQUEST).startswith("/") or not route.paths
        assert isinstance(route.inner_query(REQUEST), str)
        assert list(route.request_headers(REQUEST, [("X", "1")])) is not None
        assert list(route.response_headers(REQUEST, [("Location", "http://a/b")])) is not None
    assert route.described()["route_id"] == "r"


KEYS = some.sampled_from(
    ["routes", "default-filters", "globalcors", "httpclient", "discovery", "server", "nothing"]
)
DEEP = some.sampled_from(
    ["", "[0]", ".cors-configurations", ".cors-configurations.[/**].maxAge", ".webflux", ".x",
     ".webflux.routes[0].id", ".locator.enabled", ".connect-timeout", "[0].metadata.cors"]
)  # fmt: skip


@example({"routes": None})
@example({"globalcors": "", "discovery": None, "httpclient": ""})
@given(some.dictionaries(some.builds(str.__add__, KEYS, DEEP), VALUES, max_size=4))
def test_keys_beside_the_routes_are_obeyed_or_refused(flat: dict[str, Any]) -> None:
    tree = to_tree({f"spring.cloud.gateway.{key}": value for key, value in flat.items()})
    refusal, routes = "", None
    try:
        routes = GatewaySettings.model_validate(tree).spring.cloud.gateway.routes
    except ValidationError as error:
        refusal = validation.describe(error, GatewaySettings)

    assert bool(refusal) == (routes is None)

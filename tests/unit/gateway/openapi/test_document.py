"""The description of the whole shop, put together from those of its services."""

from typing import Any

from openapi_spec_validator import validate

from chassis.core.errors import Conflict
from chassis.web import openapi
from chassis.web.documents import Document, Uuid
from chassis.web.openapi import Routed
from chassis.web.operations import Access, Operation, SuccessResponse
from gateway.openapi.document import DescribedService, document
from gateway.openapi.service_descriptions import ServiceDescription


class ToyDocument(Document):
    toyId: Uuid  # noqa: N815


def described(name: str, *, is_current: bool = True, **schemas: Any) -> DescribedService:
    operation = Operation(
        "Look",
        Access.USER,
        SuccessResponse(document=ToyDocument),
        problems=(Conflict("Broken.", code="toy-broken"),),
    )
    part = openapi.document(name, "1", [Routed("GET", "/toys", operation)])
    part["components"]["schemas"] |= schemas
    return DescribedService(f"/{name}", name, ServiceDescription(part, is_current))


def operation(whole: dict[str, Any], path: str) -> dict[str, Any]:
    found: dict[str, Any] = whole["paths"][path]["get"]
    return found


def test_the_whole_is_valid_and_has_each_service_behind_its_prefix() -> None:
    whole = document([described("a-service"), described("b-service")], "7")

    validate(whole)
    assert {"/a-service/toys", "/b-service/toys", "/docs", "/openapi.json"} <= whole["paths"].keys()
    assert operation(whole, "/a-service/toys")["tags"] == ["a-service"]
    ids = [one["operationId"] for path in whole["paths"].values() for one in path.values()]
    assert len(ids) == len(set(ids))


def test_what_the_gateway_may_answer_instead_is_added_and_nothing_of_the_service_is_lost() -> None:
    responses = operation(document([described("a-service")], "7"), "/a-service/toys")["responses"]

    assert {"408", "414", "429", "431", "504"} <= responses.keys()
    (conflict,) = responses["409"]["content"].values()
    assert conflict["schema"]["allOf"][1]["properties"]["code"] == {"enum": ["toy-broken"]}
    (refused,) = responses["401"]["content"].values()
    assert refused["examples"].keys() == {"unauthenticated", "token-expired"}


def test_every_answer_has_the_trace_among_its_headers() -> None:
    whole = document([described("a-service")], "7")
    shared = whole["components"]["responses"]
    for path in whole["paths"].values():
        for one in path.values():
            for response in one["responses"].values():
                response = shared.get(response.get("$ref", "").rpartition("/")[2], response)
                assert {"X-Trace-Id", "X-Trace-Url"} <= response["headers"].keys()


def test_schemas_of_one_name_that_say_different_things_are_kept_apart() -> None:
    other = {"type": "object", "properties": {"size": {"type": "integer"}}}
    whole = document([described("a-service"), described("b-service", ToyDocument=other)], "7")

    assert whole["components"]["schemas"]["b-service.ToyDocument"] == other
    content = operation(whole, "/b-service/toys")["responses"]["200"]["content"]
    assert content["application/json"]["schema"] == {
        "$ref": "#/components/schemas/b-service.ToyDocument"
    }
    content = operation(whole, "/a-service/toys")["responses"]["200"]["content"]
    assert content["application/json"]["schema"] == {"$ref": "#/components/schemas/ToyDocument"}


def test_it_says_who_is_away_and_who_says_nothing() -> None:
    silent = DescribedService("/c-service", "c-service", ServiceDescription(None))

    about = document([described("a-service", is_current=False), silent], "7")["info"]["description"]

    assert "described as last known: a-service" in about
    assert "Without a description: c-service" in about


def test_what_a_service_said_is_not_changed_by_it() -> None:
    given = described("a-service")
    before = repr(given)
    document([given], "7")

    assert repr(given) == before

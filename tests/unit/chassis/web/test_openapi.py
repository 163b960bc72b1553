"""Descriptions of operations: made from models and exceptions, and put together without loss."""

from typing import Annotated, Any

import pytest
from pydantic import BaseModel, ConfigDict, Field

from chassis.core.errors import Conflict, InsufficientScope, NotFound
from chassis.web import openapi
from chassis.web.documents import Document, Uuid
from chassis.web.openapi import Routed, merged_responses, responses
from chassis.web.operations import Access, Operation, SuccessResponse, operation, operation_of
from chassis.web.schema_examples import example_of


class NewThing(BaseModel):
    model_config = ConfigDict(extra="forbid")

    title: Annotated[str, Field(min_length=3, examples=["abc"])]
    weight: Annotated[int, Field(ge=1, examples=[7])] | None = None


class ThingDocument(Document):
    thingId: Uuid  # noqa: N815


def described(access: Access = Access.ANYONE, **more: Any) -> dict[str, Any]:
    what = Operation("Make one", access, SuccessResponse(201, ThingDocument), **more)
    document = openapi.document("thing-service", "1", [Routed("POST", "/things/{thingId}", what)])
    post: dict[str, Any] = document["paths"]["/things/{thingId}"]["post"]
    return post | {"schemas": document["components"]["schemas"]}


def test_a_body_has_the_rules_of_its_model_and_a_field_may_be_called_title() -> None:
    schema = described(body=NewThing)["schemas"]["NewThing"]

    assert schema["additionalProperties"] is False
    assert schema["required"] == ["title"]
    assert schema["properties"]["title"]["minLength"] == 3
    assert "default" not in schema["properties"]["weight"]


def test_a_body_has_an_example_made_of_those_of_its_fields() -> None:
    content = described(body=NewThing)["requestBody"]["content"]["application/json"]

    assert content["example"] == {"title": "abc", "weight": 7}


@pytest.mark.parametrize(
    ("access", "security", "refused"),
    [
        (Access.ANYONE, [], set()),
        (Access.USER, [{"bearer": ["user"]}], {"401"}),
        (Access.OWNER, [{"bearer": ["owner"]}], {"401"}),
        (Access.OWNER_OR_ADMIN, [{"bearer": ["owner"]}, {"bearer": ["admin"]}], {"401", "403"}),
        (Access.ADMIN, [{"bearer": ["admin"]}], {"401", "403"}),
    ],
)
def test_who_may_call_is_said_with_what_the_others_get(
    access: Access, security: list[Any], refused: set[str]
) -> None:
    post = described(access)

    assert post["security"] == security
    assert post["responses"].keys() & {"401", "403"} == refused


def test_a_refusal_names_its_codes_and_shows_each_as_it_is_answered() -> None:
    refused = responses([Conflict("Taken.", code="email-taken"), Conflict("Late.", code="late")])

    content = refused["409"]["content"]["application/problem+json"]
    assert content["schema"]["allOf"][1]["properties"]["code"] == {"enum": ["email-taken", "late"]}
    assert content["examples"]["late"]["value"]["detail"] == "Late."
    assert content["examples"]["late"]["value"]["type"] == "urn:fusebox:problem:late"


def test_a_header_of_a_refusal_is_required_when_every_one_of_that_status_has_it() -> None:
    plain, challenged = Conflict("No."), Conflict("Wait.", retry_after=1)

    assert "headers" not in responses([plain])["409"]
    assert responses([challenged])["409"]["headers"]["Retry-After"]["required"] is True
    assert responses([plain, challenged])["409"]["headers"]["Retry-After"]["required"] is False
    assert responses([InsufficientScope("No.")])["403"]["headers"]["WWW-Authenticate"]["required"]


def test_responses_of_two_sides_are_united_with_the_codes_of_both() -> None:
    ours, theirs = NotFound("No user.", code="user-unknown"), NotFound("No address.")

    united = merged_responses(responses([ours]), responses([theirs, Conflict("No.")]))

    assert united.keys() == {"404", "409"}
    examples = united["404"]["content"]["application/problem+json"]["examples"]
    assert examples.keys() == {"user-unknown", "not-found"}


def test_an_operation_stays_with_its_function() -> None:
    @operation("Look", Access.ANYONE, SuccessResponse())
    def view() -> str:
        return "as before"

    promised = operation_of(view)

    assert view() == "as before"
    assert promised is not None
    assert promised.summary == "Look"
    assert operation_of(example_of) is None


def test_a_schema_without_an_example_of_its_own_says_so() -> None:
    assert example_of({"type": "array", "items": {"enum": ["a", "b"]}}, {}) == ["a"]
    assert example_of({"$ref": "#/x/Y"}, {"Y": {"const": 1}}) == 1
    with pytest.raises(ValueError, match="no example"):
        example_of({"type": "string"}, {})

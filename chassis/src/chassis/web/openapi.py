"""OpenAPI 3.1 of the operations of one process, made from what validates and what answers.

Schemas come from the pydantic models, refusals from the very exceptions that are raised.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import TypeAdapter

from chassis.core.errors import (
    BadRequest,
    InsufficientScope,
    Invalid,
    InvalidToken,
    NotFound,
    Problem,
    TooLarge,
    Unauthenticated,
    Unavailable,
    UnsupportedMedia,
)
from chassis.web import problem_details
from chassis.web.operations import Access, Operation, Parameter
from chassis.web.problem_details import CONTENT_TYPE, ProblemDocument
from chassis.web.schema_examples import Schema, example_of

VERSION = "3.1.1"
JSON = "application/json"
SCHEMAS = "#/components/schemas/"
PROBLEM = ProblemDocument.__name__
BEARER = "bearer"
EXAMPLE_TRACE = "4f2c1a9be0d75c36"
DESCRIPTIONS = {
    "Allow": "The methods that will do.",
    "WWW-Authenticate": "Which scheme will do, and what is wrong with the token (RFC 6750).",
    "Retry-After": "In so many seconds it may work.",
}

ANYWHERE = (
    Problem("An unexpected error; it is in the log under this trace id."),
    Unavailable("A part that this needs is unavailable for the moment."),
)
WITH_TOKEN = (
    Unauthenticated("A token is required: send `Authorization: Bearer <accessToken>`."),
    InvalidToken("The token has expired: log in again.", code="token-expired"),
)
FOR_ADMINS = (
    InsufficientScope("Only an admin may do this."),
    Unavailable("Whether this admin still is one cannot be checked.", code="rights-unchecked"),
)
WITH_BODY = (
    BadRequest("The body is no JSON: Expecting value: line 1 column 1 (char 0)."),
    TooLarge("The body is larger than 1048576 bytes."),
    UnsupportedMedia("Send JSON with `Content-Type: application/json`, not text/plain."),
)
WITH_FIELDS = (
    Invalid(
        "Some fields are wrong.",
        errors=[{"field": "name", "message": "a name with at least one visible character"}],
    ),
)
IN_A_PATH = (NotFound("There is nothing at this address."),)


@dataclass(frozen=True)
class Routed:
    """An operation at its address; `path` has its parameters as `{userId}`."""

    method: str
    path: str
    operation: Operation
    parameters: tuple[Parameter, ...] = ()

    @property
    def all_parameters(self) -> list[Parameter]:
        """Those of its path too that only the operation can describe."""
        own = self.operation.parameters
        return [
            *self.parameters,
            *(
                parameter
                for parameter in own
                if parameter.within != "path" or f"{{{parameter.name}}}" in self.path
            ),
        ]

    @property
    def id(self) -> str:
        names = [segment.strip("{}") for segment in self.path.split("/") if segment]
        return "-".join((self.method.lower(), *names)).replace(".", "")


def document(title: str, version: str, routed: Sequence[Routed]) -> dict[str, Any]:
    """All of it refers to nothing outside of itself."""
    schemas = _Schemas(routed)
    paths: dict[str, dict[str, Any]] = {}
    for route in routed:
        paths.setdefault(route.path, {})[route.method.lower()] = _described(route, schemas)
    return {
        "openapi": VERSION,
        "info": {"title": title, "version": version},
        "paths": paths,
        "components": {
            "schemas": schemas.components,
            "securitySchemes": {
                BEARER: {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
            },
        },
    }


def responses(problems: Iterable[Problem]) -> dict[str, Any]:
    """One for each status, with the codes that it may have and an example of each."""
    by_status: dict[int, list[Problem]] = {}
    for problem in problems:
        by_status.setdefault(problem_details.status_of(problem), []).append(problem)
    return {str(status): _refusal(same) for status, same in sorted(by_status.items())}


class _Schemas:
    """Of all bodies and answers, each named model once."""

    def __init__(self, routed: Sequence[Routed]) -> None:
        operations = [route.operation for route in routed]
        bodies = {operation.body for operation in operations if operation.body}
        answers = [operation.success.document for operation in operations]
        documents = {repr(answer): answer for answer in answers if answer is not None}
        adapters: list[tuple[str, Any, TypeAdapter[Any]]] = [
            (PROBLEM, "serialization", TypeAdapter(ProblemDocument)),
            *((repr(body), "validation", TypeAdapter(body)) for body in bodies),
            *((key, "serialization", TypeAdapter(answer)) for key, answer in documents.items()),
        ]
        made, shared = TypeAdapter.json_schemas(adapters, ref_template=SCHEMAS + "{model}")
        self._by_type = {key: schema for (key, _mode), schema in made.items()}
        definitions = shared.get("$defs", {})
        self.components = {name: _plain(definitions[name]) for name in sorted(definitions)}

    def content(self, type_: Any, content_type: str = JSON) -> dict[str, Any]:
        schema = _plain(self._by_type[repr(type_)])
        example = example_of(schema, self.components)
        return {content_type: {"schema": schema, "example": example}}


def _described(route: Routed, schemas: _Schemas) -> dict[str, Any]:
    operation = route.operation
    problems = (*_usual(route), *operation.problems)
    described: dict[str, Any] = {
        "operationId": route.id,
        "summary": operation.summary,
        "description": operation.description,
        "security": _security(operation),
        "parameters": [parameter_object(parameter) for parameter in route.all_parameters],
        "responses": merged_responses(_answers(operation, schemas), responses(problems)),
    }
    if operation.body:
        described["requestBody"] = {
            "required": not operation.is_body_optional,
            "content": schemas.content(operation.body),
        }
    return {name: value for name, value in described.items() if value not in ("", [])} | {
        "security": described["security"]
    }


def _usual(route: Routed) -> Iterable[Problem]:
    """What is refused for a reason that the operation shares with others."""
    operation = route.operation
    yield from ANYWHERE
    if operation.access is not Access.ANYONE:
        yield from WITH_TOKEN
    if "admin" in operation.access.value:
        yield from FOR_ADMINS
    if operation.body:
        yield from WITH_BODY
    if operation.body or operation.parameters:
        yield from WITH_FIELDS
    if route.parameters:
        yield from IN_A_PATH


def _security(operation: Operation) -> list[dict[str, list[str]]]:
    """Any of them will do; an empty list is anybody's."""
    needed: list[dict[str, list[str]]] = [{BEARER: [role]} for role in operation.access.value]
    return [{}, *needed] if operation.is_body_optional else needed


def parameter_object(parameter: Parameter) -> dict[str, Any]:
    described = {
        "name": parameter.name,
        "in": parameter.within,
        "description": parameter.description,
        "required": parameter.within == "path",
        "schema": dict(parameter.schema),
    }
    return described if parameter.example is None else {**described, "example": parameter.example}


def _answers(operation: Operation, schemas: _Schemas) -> dict[str, Any]:
    success = operation.success
    response: dict[str, Any] = {"description": success.description or operation.summary}
    if success.headers or success.now_and_then:
        response["headers"] = {
            **{name: header(text) for name, text in success.headers.items()},
            **{name: header(text, required=False) for name, text in success.now_and_then.items()},
        }
    if success.document is not None:
        response["content"] = schemas.content(success.document, success.content_type)
    return {str(status): response for status in (success.status, *success.other_statuses)}


def merged_responses(first: dict[str, Any], second: dict[str, Any]) -> dict[str, Any]:
    """Of both; where they have a status in common, either may be what comes.

    A header is required where both require it.
    """
    both = {status: _either(first[status], second[status]) for status in first.keys() & second}
    return dict(sorted((first | second | both).items()))


def _either(first: dict[str, Any], second: dict[str, Any]) -> dict[str, Any]:
    headers = first.get("headers", {}), second.get("headers", {})
    either = {
        name: {
            **known,
            "required": all(name in side and side[name]["required"] for side in headers),
        }
        for side in headers
        for name, known in side.items()
    }
    contents = first.get("content", {}), second.get("content", {})
    content = contents[0] | contents[1]
    if all(CONTENT_TYPE in side for side in contents):
        examples = [side[CONTENT_TYPE]["examples"] for side in contents]
        content[CONTENT_TYPE] = _problems(examples[0] | examples[1])
    return {**first, "content": content, **({"headers": either} if either else {})}


def header(description: str, required: bool = True) -> dict[str, Any]:
    return {"description": description, "required": required, "schema": {"type": "string"}}


def _refusal(problems: Sequence[Problem]) -> dict[str, Any]:
    """Of problems with the same status."""
    documents = [problem_details.document(problem, EXAMPLE_TRACE) for problem in problems]
    examples = {document["code"]: {"value": document} for document in documents}
    headers = [problem_details.headers(problem).keys() for problem in problems]
    always = set.intersection(*map(set, headers))
    response: dict[str, Any] = {
        "description": documents[0]["title"],
        "content": {CONTENT_TYPE: _problems(examples)},
    }
    if names := sorted({name for names in headers for name in names}):
        response["headers"] = {
            name: header(DESCRIPTIONS[name], required=name in always) for name in names
        }
    return response


def _problems(examples: dict[str, Any]) -> dict[str, Any]:
    """Any of these, which have a status in common, by their codes."""
    status = next(iter(examples.values()))["value"]["status"]
    codes = {"status": {"const": status}, "code": {"enum": sorted(examples)}}
    return {
        "schema": {"allOf": [{"$ref": SCHEMAS + PROBLEM}, {"properties": codes}]},
        "examples": examples,
    }


def _plain(schema: Schema) -> Schema:
    """Without the titles that only repeat a name, and without defaults that only say: none."""
    match schema:
        case dict():
            return {
                name: _members(value) if name == "properties" else _plain(value)
                for name, value in schema.items()
                if not (name == "title" and isinstance(value, str))
                and not (name == "default" and value is None)
            }
        case list():
            return [_plain(item) for item in schema]
        case _:
            return schema


def _members(properties: Any) -> Any:
    """Their names are no keywords: one may be called `title`."""
    return {name: _plain(schema) for name, schema in properties.items()}

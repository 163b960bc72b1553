"""What each service says of its HTTP interface: valid OpenAPI, whole, and what the code does."""

import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from flask import Flask
from jsonschema import Draft202012Validator, FormatChecker
from openapi_spec_validator import validate

import catalog_service.api
import order_service.api
import user_service.api
import user_service.audit.api
from chassis.core.environment import Environment
from chassis.runtime import flask_openapi
from chassis.web.operations import operation_of

ROOT = Path(__file__).resolve().parents[2]
# All that have blueprints.
MODULES: dict[str, tuple[ModuleType, ...]] = {
    "catalog-service": (catalog_service.api,),
    "order-service": (order_service.api,),
    "user-service": (user_service.api, user_service.audit.api),
}


def blueprints(module: ModuleType) -> Iterator[Any]:
    """Made by every function that says so; to be described, nothing has to be there to be used."""
    for function in vars(module).values():
        if inspect.isfunction(function) and function.__module__ == module.__name__:
            signature = inspect.signature(function)
            if getattr(signature.return_annotation, "__name__", "") == "Blueprint":
                yield function(*(None for _ in signature.parameters))


def app_of(service: str) -> Flask:
    app = Flask(service, static_folder=None)
    for module in MODULES[service]:
        for blueprint in blueprints(module):
            app.register_blueprint(blueprint)
    return app


APPS = {service: app_of(service) for service in MODULES}
DOCUMENTS = {
    service: flask_openapi.document(app, Environment.read(service, {}))
    for service, app in APPS.items()
}
OPERATIONS = [
    pytest.param(service, operation, id=f"{service} {operation['operationId']}")
    for service, document in DOCUMENTS.items()
    for path in document["paths"].values()
    for operation in path.values()
]


def media_types(operation: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    if "requestBody" in operation:
        for media_type in operation["requestBody"]["content"].values():
            yield "the request", media_type
    for status, response in operation["responses"].items():
        for media_type in response.get("content", {}).values():
            yield status, media_type


def examples(media_type: dict[str, Any]) -> list[Any]:
    named = [example["value"] for example in media_type.get("examples", {}).values()]
    return [*named, *([media_type["example"]] if "example" in media_type else [])]


def test_every_module_of_a_service_that_has_a_blueprint_is_looked_at() -> None:
    known = {module.__file__ for modules in MODULES.values() for module in modules}
    having = {
        str(file)
        for file in (ROOT / "services").glob("*/src/*_service/**/*.py")
        if "Blueprint(" in file.read_text()
        # A service that a reader adds has a test of its own.
        and file.relative_to(ROOT).parts[1] in ("catalog", "order", "user")
    }

    assert having == known


@pytest.mark.parametrize("service", DOCUMENTS)
def test_the_description_of_a_service_is_valid_openapi_3_1(service: str) -> None:
    assert DOCUMENTS[service]["openapi"].startswith("3.1.")
    validate(DOCUMENTS[service])


@pytest.mark.parametrize("service", APPS)
def test_every_route_of_a_service_is_described(service: str) -> None:
    undescribed = [
        f"{method} {rule.rule}"
        for rule, method, view in flask_openapi.views(APPS[service])
        if operation_of(view) is None
    ]

    assert list(flask_openapi.views(APPS[service]))
    assert undescribed == []


@pytest.mark.parametrize("service", APPS)
def test_a_body_is_described_by_the_model_that_validates_it(service: str) -> None:
    for rule, method, view in flask_openapi.views(APPS[service]):
        operation = operation_of(view)
        described = operation.body.__name__ if operation and operation.body else None
        validating = set(re.findall(r"\bbody\((\w+)", inspect.getsource(view)))

        assert validating == ({described} if described else set()), f"{method} {rule.rule}"


@pytest.mark.parametrize(("service", "operation"), OPERATIONS)
def test_every_body_has_examples_that_fit_its_schema(
    service: str, operation: dict[str, Any]
) -> None:
    components = {"components": DOCUMENTS[service]["components"]}
    for where, media_type in media_types(operation):
        validator = Draft202012Validator(
            {**media_type["schema"], **components}, format_checker=FormatChecker()
        )
        assert examples(media_type), where
        for example in examples(media_type):
            assert [error.message for error in validator.iter_errors(example)] == [], where


@pytest.mark.parametrize(("service", "operation"), OPERATIONS)
def test_every_operation_says_what_it_refuses_and_how(
    service: str, operation: dict[str, Any]
) -> None:
    responses = operation["responses"]
    refused = {status for status in responses if status >= "400"}

    assert {"500", "503"} <= refused
    assert ({"400", "413", "415", "422"} <= refused) == ("requestBody" in operation)
    assert "401" in refused or not operation["security"]
    assert operation["summary"]

"""The operations of a Flask application, found by its routes."""

import re
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

from flask import Flask
from pydantic.alias_generators import to_camel
from werkzeug.routing import Rule

from chassis.actuator.endpoints import ActuatorResponse, json_response
from chassis.actuator.public_endpoints import PUBLIC_ENDPOINTS
from chassis.core.environment import Environment
from chassis.runtime.service import Process
from chassis.web import openapi
from chassis.web.documents import EXAMPLE_ID
from chassis.web.openapi import Routed
from chassis.web.operations import Parameter, operation_of

PARAMETER = re.compile(r"<(?:([^<>:]+):)?([^<>:]+)>")
# What a converter takes.  Any other text is described by the operation itself.
CONVERTED = {"uuid": ({"type": "string", "format": "uuid"}, EXAMPLE_ID)}
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
INTERNAL = "/actuator"


def add(app: Flask, process: Process[Any]) -> None:
    """The endpoint /actuator/openapi, made when it is first asked for: routes may yet come."""

    @cache
    def answer() -> ActuatorResponse:
        return json_response(document(app, process.environment))

    process.actuator.add("openapi", lambda _: answer())


def document(app: Flask, here: Environment) -> dict[str, Any]:
    """Of all operations that are described, and of what every process shows to everybody."""
    return openapi.document(here.service, here.version, [*routed(app), *PUBLIC_ENDPOINTS])


def routed(app: Flask) -> Iterator[Routed]:
    for rule, method, view in views(app):
        if operation := operation_of(view):
            path = PARAMETER.sub(lambda match: "{" + to_camel(match[2]) + "}", rule.rule)
            yield Routed(method, path, operation, tuple(_converted(rule)))


def views(app: Flask) -> Iterator[tuple[Rule, str, Callable[..., Any]]]:
    """Those of the service itself, with their routes and methods."""
    for rule in app.url_map.iter_rules():
        if not rule.rule.startswith(INTERNAL):
            for method in METHODS:
                if method in (rule.methods or ()):
                    yield rule, method, app.view_functions[rule.endpoint]


def _converted(rule: Rule) -> Iterator[Parameter]:
    for converter, name in PARAMETER.findall(rule.rule):
        if converter in CONVERTED:
            schema, example = CONVERTED[converter]
            yield Parameter(to_camel(name), "path", "An id, as answers have it.", schema, example)

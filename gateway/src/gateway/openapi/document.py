"""The description of the whole shop: those of the services behind their prefixes, and its own."""

from collections.abc import Mapping, Sequence
from copy import deepcopy
from typing import Any, NamedTuple

from chassis.web import openapi
from chassis.web.openapi import SCHEMAS, merged_responses
from gateway.openapi.own_operations import HEADERS, OWN_OPERATIONS, READS_ONLY, REFUSALS
from gateway.openapi.service_descriptions import ServiceDescription

TITLE = "Fusebox"
GATEWAY = "gateway"
SHARED_RESPONSES = "#/components/responses/"
ABOUT = (
    "A shop you can break on purpose, behind one gateway. JSON in and out; times are RFC 3339 in"
    " UTC, money is in whole units of the currency's smallest coin. Errors are"
    " `application/problem+json` (RFC 9457): programs rely on `code`. Continue a trace with `b3` or"
    " `traceparent`; say how long you wait with `X-Request-Timeout-Ms`."
)


class DescribedService(NamedTuple):
    """Where a service is reached, and what it says of itself."""

    prefix: str
    name: str
    description: ServiceDescription


def document(services: Sequence[DescribedService], version: str) -> dict[str, Any]:
    own = openapi.document(TITLE, version, OWN_OPERATIONS)
    whole = {
        **own,
        "info": {**own["info"], "description": _about(services)},
        "servers": [{"url": "/"}],
        "tags": [{"name": GATEWAY}, *({"name": service.name} for service in services)],
    }
    _tag(whole["paths"], GATEWAY)
    for service in services:
        if service.description.document is not None:
            part = deepcopy(dict(service.description.document))
            _add(whole, service.prefix, service.name, part)
    _add_refusals(whole)
    _share_examples(whole)
    return whole


def _about(services: Sequence[DescribedService]) -> str:
    silent = [name for _, name, known in services if known.document is None]
    gone = [name for _, name, known in services if known.document and not known.is_current]
    sentences = [
        ABOUT,
        f"Away at the moment, and described as last known: {', '.join(gone)}." if gone else "",
        f"Without a description: {', '.join(silent)}." if silent else "",
    ]
    return "\n\n".join(filter(None, sentences))


def _add(whole: dict[str, Any], prefix: str, service: str, part: dict[str, Any]) -> None:
    """Schemas of the same name are one where they say the same, and else carry the service's."""
    schemas, shared = part.get("components", {}).get("schemas", {}), whole["components"]["schemas"]
    renamed = {
        name: f"{service}.{name}"
        for name, schema in schemas.items()
        if shared.get(name, schema) != schema
    }
    for name, schema in schemas.items():
        shared[renamed.get(name, name)] = _renamed(schema, renamed)
    paths = _renamed(part["paths"], renamed)
    _tag(paths, service)
    whole["paths"] |= {prefix + path: operations for path, operations in paths.items()}


def _tag(paths: dict[str, Any], owner: str) -> None:
    for operations in paths.values():
        for operation in operations.values():
            operation["tags"] = [owner]
            operation["operationId"] = f"{owner}-{operation['operationId']}"


def _renamed(schema: Any, names: Mapping[str, str]) -> Any:
    """References lead to where the schemas are now."""
    match schema:
        case {"$ref": str(reference), **rest} if reference.startswith(SCHEMAS):
            name = reference.removeprefix(SCHEMAS)
            return {"$ref": SCHEMAS + names.get(name, name), **rest}
        case dict():
            return {name: _renamed(value, names) for name, value in schema.items()}
        case list():
            return [_renamed(item, names) for item in schema]
        case _:
            return schema


def _add_refusals(whole: dict[str, Any]) -> None:
    """What the gateway may answer in the place of a service, and its headers."""
    everywhere, reads = openapi.responses(REFUSALS), openapi.responses(READS_ONLY)
    components = whole["components"]
    components["headers"] = HEADERS
    components["responses"] = {
        response["description"].replace(" ", ""): _with_headers(response)
        for response in everywhere.values()
    }
    names = dict(zip(everywhere, components["responses"], strict=True))
    for operations in whole["paths"].values():
        for method, operation in operations.items():
            own = operation["responses"]
            ours = everywhere if method != "get" else merged_responses(everywhere, reads)
            # What nobody else answers with is written once, for all.
            operation["responses"] = {
                status: {"$ref": SHARED_RESPONSES + names[status]}
                if status not in own and ours[status] is everywhere.get(status)
                else _with_headers(response)
                for status, response in merged_responses(own, ours).items()
            }


def _with_headers(response: dict[str, Any]) -> dict[str, Any]:
    ours = {name: {"$ref": f"#/components/headers/{name}"} for name in HEADERS}
    return {**response, "headers": {**response.get("headers", {}), **ours}}


def _share_examples(whole: dict[str, Any]) -> None:
    """An example that stands in many places is written once, by its code."""
    shared: dict[str, Any] = {}
    operations = [operation for path in whole["paths"].values() for operation in path.values()]
    holders = [whole["components"], *operations]
    for response in (response for holder in holders for response in holder["responses"].values()):
        for media_type in response.get("content", {}).values():
            media_type["examples"] = {
                code: {"$ref": f"#/components/examples/{code}"}
                if shared.setdefault(code, example) == example
                else example
                for code, example in media_type.get("examples", {}).items()
            }
            if not media_type["examples"]:
                del media_type["examples"]
    whole["components"]["examples"] = shared

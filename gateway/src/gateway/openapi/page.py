"""The description for people: one page of plain HTML that needs no script and no other address."""

import json
from base64 import b64encode
from collections.abc import Iterable, Mapping
from hashlib import sha256
from html import escape
from importlib.resources import files
from typing import Any
from urllib.parse import quote

from chassis.web.pages import ICON_LINK

STYLE = files(__package__).joinpath("page.css").read_text(encoding="utf-8")
_DIGEST = b64encode(sha256(STYLE.encode()).digest()).decode()
POLICY = (
    f"default-src 'none'; style-src 'sha256-{_DIGEST}'; img-src data:; base-uri 'none';"
    " form-action 'none'; frame-ancestors 'none'"
)
Document = Mapping[str, Any]


def html(document: Document, base: str) -> str:
    """`base` is the address under which the gateway was asked."""
    info = document["info"]
    sections = "".join(_section(document, tag["name"], base) for tag in document["tags"])
    links = "".join(
        f'<li><a href="#{_anchor(tag["name"])}">{escape(tag["name"])}</a></li>'
        for tag in document["tags"]
    )
    paragraphs = "".join(f"<p>{_text(part)}</p>" for part in info["description"].split("\n\n"))
    title = escape(info["title"])
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width"><title>{title}: the API</title>'
        f"{ICON_LINK}<style>{STYLE}</style></head><body><header>"
        f'<a href="/">Fusebox</a><h1>{title} {escape(info["version"])}</h1>'
        f'{paragraphs}<p>For programs: <a href="/openapi.json">/openapi.json</a>, OpenAPI'
        f" {escape(document['openapi'])}.</p></header><nav><ul>{links}</ul></nav>"
        f"<main>{sections}</main></body></html>"
    )


def _section(document: Document, tag: str, base: str) -> str:
    operations = "".join(
        _operation(document, method, path, operation, base)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
        if tag in operation["tags"]
    )
    return f'<section id="{_anchor(tag)}"><h2>{escape(tag)}</h2>{operations}</section>'


def _operation(document: Document, method: str, path: str, operation: Document, base: str) -> str:
    parts = (
        f"<p>{_text(operation['description'])}</p>" if "description" in operation else "",
        f"<p>Who: {escape(_who(operation['security']))}.</p>",
        _parameters(operation.get("parameters", ())),
        _body(document, operation),
        f"<h4>Try it</h4><pre>{escape(curl(method, path, operation, base))}</pre>",
        _responses(document, operation["responses"]),
    )
    return (
        f'<details id="{_anchor(operation["operationId"])}"><summary>'
        f'<b class="{escape(method)}">{escape(method.upper())}</b> <code>{escape(path)}</code>'
        f" {_text(operation['summary'])}</summary>{''.join(parts)}</details>"
    )


def _who(security: Iterable[Mapping[str, Iterable[str]]]) -> str:
    roles = [", ".join(*need.values()) if need else "nobody in particular" for need in security]
    return " or ".join(roles) if roles else "anyone"


def _parameters(parameters: Iterable[Document]) -> str:
    rows = "".join(
        _row(given["name"], given["in"], _rules(given["schema"]), _text(given["description"]))
        for given in parameters
    )
    return f"<h4>Parameters</h4><table>{rows}</table>" if rows else ""


def _body(document: Document, operation: Document) -> str:
    if "requestBody" not in operation:
        return ""
    (media_type,) = operation["requestBody"]["content"].values()
    return f"<h4>Body</h4>{_fields(document, media_type['schema'])}"


def _fields(document: Document, schema: Document) -> str:
    """Of an object: its members, with their rules."""
    schema = _resolved(document, schema)
    if schema.get("type") == "array":
        return f"<p>A list of:</p>{_fields(document, schema['items'])}"
    required = schema.get("required", ())
    rows = "".join(
        _row(
            name,
            "required" if name in required else "",
            _rules(_resolved(document, member)),
            _text(member.get("description", "")),
        )
        for name, member in schema.get("properties", {}).items()
    )
    about = f"<p>{_text(schema['description'])}</p>" if "description" in schema else ""
    return f"{about}<table>{rows}</table>" if rows else about


def _responses(document: Document, responses: Mapping[str, Document]) -> str:
    return "<h4>Answers</h4>" + "".join(
        _response(document, status, _resolved(document, response))
        for status, response in responses.items()
    )


def _response(document: Document, status: str, response: Document) -> str:
    parts, codes = [], []
    for media_type in response.get("content", {}).values():
        refusals = media_type.get("examples", {})
        codes += list(refusals)
        for code, example in refusals.items():
            problem = _resolved(document, example)["value"]
            parts.append(f"<p><code>{escape(code)}</code> {_text(problem['detail'])}</p>")
        if not refusals:
            parts.append(_fields(document, media_type["schema"]))
            parts.append(f"<pre>{escape(_shown(media_type['example']))}</pre>")
    names = " ".join(f"<code>{escape(code)}</code>" for code in codes)
    return (
        f"<details><summary><b>{escape(status)}</b> {_text(response['description'])} {names}"
        f"</summary>{''.join(parts)}</details>"
    )


def curl(method: str, path: str, operation: Document, base: str) -> str:
    """The operation as a command, with the examples that it has."""
    for given in operation.get("parameters", ()):
        if given["in"] == "path":
            path = path.replace(f"{{{given['name']}}}", quote(str(given["example"]), safe=""))
    words = [f"curl -s {base}{path}"]
    if method not in ("get", "post"):
        words.append(f"-X {method.upper()}")
    if operation["security"]:
        words.append('-H "Authorization: Bearer $TOKEN"')
    if "requestBody" in operation:
        ((content_type, media_type),) = operation["requestBody"]["content"].items()
        body = json.dumps(media_type["example"], ensure_ascii=False).replace("'", r"'\''")
        words += [f"-H 'Content-Type: {content_type}'", f"-d '{body}'"]
    elif method == "post":
        words.append("-X POST")
    return " \\\n  ".join(words)


def _rules(schema: Document) -> str:
    """What a value is like, in a few words."""
    if "anyOf" in schema:
        return " or ".join(_rules(part) for part in schema["anyOf"])
    if "$ref" in schema:
        return escape(schema["$ref"].rpartition("/")[2])
    words = [str(schema.get("type", "")), str(schema.get("format", ""))]
    words += [f"{name} {schema[name]}" for name in BOUNDS if name in schema]
    words += [f"one of {', '.join(map(str, schema['enum']))}"] if "enum" in schema else []
    return escape(", ".join(filter(None, words)))


BOUNDS = ("minLength", "maxLength", "minimum", "maximum", "minItems", "maxItems", "default")


def _resolved(document: Document, schema: Document) -> Document:
    if "$ref" not in schema:
        return schema
    target: Any = document
    for step in schema["$ref"].removeprefix("#/").split("/"):
        target = target[step]
    return _resolved(document, target)


def _row(*cells: str) -> str:
    first, *others = cells
    return (
        f"<tr><th><code>{escape(first)}</code></th>"
        + "".join(f"<td>{cell}</td>" for cell in others)
        + "</tr>"
    )


def _shown(example: Any) -> str:
    if isinstance(example, str):
        return example
    return json.dumps(example, indent=2, ensure_ascii=False)


def _text(text: str) -> str:
    """With what stands between backticks as code."""
    parts = escape(text).split("`")
    return "".join(
        f"<code>{part}</code>" if index % 2 else part for index, part in enumerate(parts)
    )


def _anchor(name: str) -> str:
    return escape(quote(name, safe=""), quote=True)

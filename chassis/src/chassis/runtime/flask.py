"""The chassis under Flask: errors, traces, metrics, the actuator, JSON bodies and callers."""

import logging
import re
import time
from collections.abc import Callable, Iterable
from ipaddress import ip_address
from typing import Any, TypeVar

from flask import Flask, Request, Response, g, request
from pydantic import BaseModel, ValidationError

from chassis.audit.entry import AuditEntry, Outcome, shortened
from chassis.audit.refusals import Refusals, is_refusal
from chassis.chaos.monkey import AssaultException, ChaosMonkey
from chassis.core import strict_json
from chassis.core.errors import (
    BadRequest,
    FieldError,
    Invalid,
    NotFound,
    Problem,
    TooLarge,
    UnsupportedMedia,
)
from chassis.identity.assertions import HEADER
from chassis.observability import span_tags
from chassis.observability.access_log import AnsweredRequest
from chassis.resilience import deadline
from chassis.resilience.examination import PROBE
from chassis.runtime import flask_errors, flask_openapi
from chassis.runtime.service import Process
from chassis.runtime.user_store import UserStore
from chassis.web.auth import Caller, TokenVerifier
from chassis.web.storable import MESSAGE, is_storable, unstorable_fields

log = logging.getLogger(__name__)

M = TypeVar("M", bound=BaseModel)
V = TypeVar("V", bound=Callable[..., Any])

ACTUATOR = "/actuator"
FOR_ANYBODY = "__for_anybody__"

# In a route: its name, behind a converter if there is one.
PARAMETER = re.compile(r"<(?:[^<>]*:)?([^<>:]+)>")

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


def create_app(
    name: str,
    process: Process[Any],
    is_outage: Callable[[Exception], bool] = lambda _error: False,
    refusals: Refusals | None = None,
) -> Flask:
    """A Flask application that traces and counts each request and answers every error in form.

    `is_outage` says of a library's exception that a database or another part is unavailable;
    `refusals` are told of whoever came where they don't belong.
    """
    app = Flask(name, static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = process.settings.fusebox.max_body_bytes
    app.json.sort_keys = False  # type: ignore[attr-defined]
    _trace_requests(app, process)
    _refuse_strangers(app, process)
    _refuse_unstorable_text(app)
    _assault_requests(app, process.monkey)
    flask_errors.add(app, is_outage, lambda problem: _record_refusal(problem, refusals))
    flask_openapi.add(app, process)

    # Whatever the method: the endpoints say themselves which will do.
    any_method = {"methods": METHODS, "provide_automatic_options": False}

    @app.route("/actuator/", defaults={"page": ""}, **any_method)
    @app.route("/actuator/<path:page>", **any_method)
    def actuator(page: str) -> Response:
        response = process.actuator.answer(request.method, page, request.get_data(cache=False))
        return Response(
            response.body,
            response.status,
            dict(response.headers),
            content_type=response.content_type,
        )

    return app


def body(model: type[M], *, is_stored: bool = True) -> M:
    """The request's JSON body as a `model`; unless `is_stored`, with text that no column can hold.

    Raises UnsupportedMedia, BadRequest, TooLarge, or Invalid with a line for each bad field.
    """
    if request.mimetype != "application/json":
        raise UnsupportedMedia(
            f"Send JSON with `Content-Type: application/json`, not {request.mimetype or 'nothing'}."
        )
    content = _bytes(request)
    document = strict_json.loads(content)
    try:
        # Strict, and as JSON: "3" is no number here, though a date may be a string.
        validated = model.model_validate_json(content, strict=True)
    except ValidationError as error:
        issues = error.errors(include_url=False, include_context=False, include_input=False)
        if any(issue["type"] == "json_invalid" for issue in issues):
            raise BadRequest(f"The body is no JSON: {issues[0]['msg']}.") from error
        raise Invalid(
            "Some fields are wrong.", errors=[_field_error(issue) for issue in issues]
        ) from error
    # JSON can say such text by an escape alone, and hardly any body has one.
    if is_stored and b"\\u" in content:
        _require_storable(unstorable_fields(document))
    return validated


def authenticate(tokens: TokenVerifier) -> Caller:
    """The caller that the token names; Unauthenticated when it is missing or not valid."""
    caller = tokens.caller_of(request.headers.get("Authorization"))
    g.user = caller.subject
    return caller


def audited(
    action: str, target: str = "", outcome: Outcome = Outcome.DONE, **detail: Any
) -> AuditEntry:
    """An entry for the audit trail about what the request at hand does, or was refused."""
    return AuditEntry(
        action=action,
        outcome=outcome,
        target=shortened(target or request.path),
        actor=g.get("user"),
        source=_source(),
        trace_id=flask_errors.trace_id(),
        detail=detail,
    )


def _source() -> str | None:
    """The client, as the gateway has written it: before the proxies that it trusts, if any."""
    passed_on: str = request.headers.get("X-Forwarded-For", "")
    try:
        return str(ip_address(passed_on.partition(",")[0].strip()))
    except ValueError:
        return request.remote_addr


def authenticate_admin(tokens: TokenVerifier, users: UserStore) -> Caller:
    """The same, for an admin whom the user store knows as one at this moment.

    Raises InsufficientScope as well, and Unavailable when it cannot be asked.
    """
    caller = authenticate(tokens)
    users.require_admin(caller, request.headers["Authorization"])
    return caller


def tag_span(**tags: str) -> None:
    """Name what the request is about, with `order_id` as `order.id`: here and at the caller's."""
    if "span" in g:
        named = {name.replace("_", "."): value for name, value in tags.items()}
        g.span.tags.update(named)
        g.span_tags.update(named)


def _require_storable(unstorable: Iterable[str]) -> None:
    errors: list[FieldError] = [{"field": field, "message": MESSAGE} for field in unstorable]
    if errors:
        raise Invalid("Some fields are wrong.", errors=errors)


def _bytes(incoming: Request) -> bytes:
    limit = incoming.max_content_length or 0
    if limit and (incoming.content_length or 0) > limit:
        raise TooLarge(f"The body is larger than {limit} bytes.")
    return incoming.get_data(cache=False)


def _field_error(issue: Any) -> FieldError:
    return {"field": ".".join(str(step) for step in issue["loc"]), "message": issue["msg"]}


def _trace_requests(app: Flask, process: Process[Any]) -> None:
    @app.before_request
    def begin() -> None:
        g.began = time.perf_counter()
        deadline.enter(request.headers)
        rule = request.url_rule.rule if request.url_rule else "unknown"
        g.template = PARAMETER.sub(r"{\1}", rule)
        if not rule.startswith("/actuator"):
            name = f"{request.method} {g.template}".lower()
            g.span_tags = {}
            g.opened = process.tracer.serve(name, request.headers, request.path)
            g.span = g.opened.__enter__()
            deadline.check()

    @app.after_request
    def count(response: Response) -> Response:
        status, seconds = response.status_code, time.perf_counter() - g.began
        process.metrics.answered(request.method, g.template, status, seconds)
        if "span" in g:
            if process.access_log.takes(status, g.span.attrs.is_sampled):
                process.access_log.write(_access(status, seconds))
            g.span.tags["http.status_code"] = str(status)
            g.span.tags["http.path"] = request.path
            if status >= 500 and "failure" not in g:
                g.span.fail(str(status))
            if g.span.attrs.is_sampled:
                response.headers[span_tags.HEADER] = span_tags.encode(
                    {span_tags.ROUTE: g.template, **g.span_tags}
                )
        return response

    @app.teardown_request
    def end(_error: BaseException | None) -> None:
        if "opened" in g:
            g.pop("opened").__exit__(None, None, None)


def _access(status: int, seconds: float) -> AnsweredRequest:
    return AnsweredRequest(
        *(request.method, g.template, request.path, status, seconds, request.remote_addr or ""),
        *(g.span.attrs, g.get("user", "")),
    )


def for_anybody(view: V) -> V:
    """Marks what may be called directly by whoever is not of the shop."""
    setattr(view, FOR_ANYBODY, True)
    return view


def _refuse_strangers(app: Flask, process: Process[Any]) -> None:
    """Calls come from the gateway and other services that may call this one, by their assertions.

    The actuator has a rule of its own.
    """

    @app.before_request
    def refuse() -> None:
        path, view = request.path, app.view_functions.get(request.endpoint or "")
        assertion = request.headers.get(HEADER)
        if path == ACTUATOR or path.startswith(f"{ACTUATOR}/"):
            process.check_actuator_caller(request.method, assertion)
        elif not hasattr(view, FOR_ANYBODY):
            process.callers.caller_of(assertion)


def _refuse_unstorable_text(app: Flask) -> None:
    """No thing has such text in its address, and no database has to say so."""

    @app.before_request
    def refuse() -> None:
        if not all(is_storable(str(value)) for value in (request.view_args or {}).values()):
            raise NotFound("There is nothing at this address.")
        _require_storable(
            name for name, value in request.args.items(multi=True) if not is_storable(name + value)
        )


def _assault_requests(app: Flask, monkey: ChaosMonkey) -> None:
    @app.before_request
    def assault() -> None:
        is_due = "span" in g or PROBE in request.headers
        due = monkey.next_assault() if is_due else None
        if due:
            time.sleep(due.delay)
            if due.fails:
                raise AssaultException


def _record_refusal(problem: Problem, refusals: Refusals | None) -> None:
    if refusals is not None and is_refusal(problem):
        detail = {"method": request.method, "code": problem.code}
        refusals.record(audited("access", outcome=Outcome.REFUSED, **detail))

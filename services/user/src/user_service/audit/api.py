"""The audit trail over HTTP."""

from flask import Blueprint, Response, jsonify, request

from chassis.runtime.flask import authenticate
from chassis.web import pagination
from chassis.web.auth import TokenVerifier
from chassis.web.operations import Access, SuccessResponse, operation
from user_service.audit.documents import (
    FILTERS,
    PARAMETERS,
    AuditEntryDocument,
    entry_json,
    query_of,
)
from user_service.audit.trail import AuditTrail

# As it is seen through the gateway.
AUDIT = "/user-service/audit"


def blueprint(trail: AuditTrail, tokens: TokenVerifier) -> Blueprint:
    api = Blueprint("audit", __name__)

    @api.get("/audit")
    @operation(
        "Who did what, the newest first",
        Access.ADMIN,
        SuccessResponse(document=list[AuditEntryDocument], now_and_then=pagination.LINK),
        parameters=(*pagination.PARAMETERS, *PARAMETERS),
    )
    def entries() -> tuple[Response, dict[str, str]]:
        caller = authenticate(tokens)
        page, query = pagination.requested(request.args), query_of(request.args)
        rows, last = trail.entries(caller, query, page)
        filters = {name: request.args[name] for name in FILTERS if name in request.args}
        link = pagination.next_link(AUDIT, page, last, filters)
        return jsonify([entry_json(row) for row in rows]), link

    return api

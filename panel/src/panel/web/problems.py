"""Problems as `application/problem+json`, whoever raises them."""

from __future__ import annotations

import logging

from aiohttp import web
from aiohttp.typedefs import Handler

from chassis.core.errors import Problem
from chassis.web import problem_details

log = logging.getLogger(__name__)


@web.middleware
async def answer_problems(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except Problem as problem:
        document = problem_details.document(problem, None)
        headers = problem_details.headers(problem)
    except web.HTTPException as answer:
        if answer.status < 400:
            raise
        code = "-".join(answer.reason.lower().split())
        document = problem_details.render(answer.status, code, f"{answer.reason}.", None)
        headers = {"Allow": answer.headers["Allow"]} if "Allow" in answer.headers else {}
    return web.json_response(
        document,
        status=document["status"],
        headers=headers,
        content_type=problem_details.CONTENT_TYPE,
    )

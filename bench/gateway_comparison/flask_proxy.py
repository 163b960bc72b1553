"""The gateway that one writes in an afternoon: Flask, pooled requests, and no rules at all."""

import os

import requests
from flask import Flask, Response, request
from requests.adapters import HTTPAdapter

NOT_PASSED = ("host", "connection")
NOT_RETURNED = ("connection", "content-length", "transfer-encoding")


def create_app() -> Flask:
    app, session, upstream = Flask(__name__), requests.Session(), os.environ["UPSTREAM"]
    session.trust_env = False
    session.mount("http://", HTTPAdapter(pool_connections=10, pool_maxsize=64))

    @app.route("/<service>/<path:rest>", methods=["GET", "POST", "PUT", "DELETE"])
    def pass_on(service: str, rest: str) -> Response:  # noqa: ARG001 - there is one upstream
        answer = session.request(
            request.method,
            f"{upstream}/{rest}",
            params=request.query_string,
            data=request.get_data(),
            headers={k: v for k, v in request.headers if k.lower() not in NOT_PASSED},
            allow_redirects=False,
            timeout=10,
        )
        headers = [(k, v) for k, v in answer.headers.items() if k.lower() not in NOT_RETURNED]
        return Response(answer.content, answer.status_code, headers)

    return app

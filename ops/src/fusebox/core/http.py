"""Asking the parts over HTTP: small, without a pool, never raising for a part that is away."""

from __future__ import annotations

import http.client
import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

TIMEOUT_SECONDS = 3.0


@dataclass(frozen=True)
class HttpResponse:
    """`status` 0 stands for no answer at all."""

    status: int
    body: bytes = b""

    @property
    def ok(self) -> bool:
        return self.status == 200

    def json(self) -> Any:
        """The body as JSON; None when it is none."""
        try:
            return json.loads(self.body)
        except ValueError:
            return None


def get(url: str, timeout: float = TIMEOUT_SECONDS, token: str = "") -> HttpResponse:
    return _ask("GET", url, None, timeout, token)


def post(
    url: str, document: Any = None, timeout: float = TIMEOUT_SECONDS, token: str = ""
) -> HttpResponse:
    return _ask("POST", url, json.dumps(document), timeout, token)


def _ask(method: str, url: str, body: str | None, timeout: float, token: str) -> HttpResponse:
    where = urlsplit(url)
    connection = http.client.HTTPConnection(where.hostname or "", where.port, timeout=timeout)
    try:
        connection.request(method, where.path, body, _headers(body, token))
        response = connection.getresponse()
        return HttpResponse(response.status, response.read())
    except (OSError, http.client.HTTPException):
        return HttpResponse(0)
    finally:
        connection.close()


def _headers(body: str | None, token: str) -> dict[str, str]:
    headers = {"Accept": "application/json"}
    if body is not None:
        headers["Content-Type"] = "application/json"
    if token:
        headers["Authorization"] = f"Bearer {token}"
    return headers

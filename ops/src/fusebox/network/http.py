"""Asking the parts over HTTP: directly, and never raising for a part that is away."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # it takes its time to load, and many verbs do without
    import requests

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


def get(
    url: str, timeout: float = TIMEOUT_SECONDS, headers: Mapping[str, str] | None = None
) -> HttpResponse:
    return _ask("GET", url, None, timeout, headers or {})


def post(
    url: str,
    document: Any = None,
    timeout: float = TIMEOUT_SECONDS,
    headers: Mapping[str, str] | None = None,
) -> HttpResponse:
    return _ask("POST", url, json.dumps(document), timeout, headers or {})


def new_session() -> requests.Session:
    """A session that reaches the shop directly, whatever proxy the environment names."""
    import requests

    session = requests.Session()
    session.trust_env = False
    return session


def _ask(
    method: str, url: str, body: str | None, timeout: float, given: Mapping[str, str]
) -> HttpResponse:
    headers = {**_headers(body), **given}
    try:
        with new_session() as session:
            response = session.request(
                method, url, data=body, headers=headers, timeout=timeout, allow_redirects=False
            )
        return HttpResponse(response.status_code, response.content)
    except (OSError, ValueError):  # also for an address that nobody can have
        return HttpResponse(0)


def _headers(body: str | None) -> dict[str, str]:
    headers = {"Accept": "application/json"}
    if body is not None:
        headers["Content-Type"] = "application/json"
    return headers

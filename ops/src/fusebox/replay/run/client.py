"""A client of the gateway that repeats a request while its failure may be transient."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import requests

from fusebox.core.errors import Fault
from fusebox.network.http import new_session
from fusebox.replay.run.retry_policy import RetryPolicy, TransientError

TIMEOUT = (2, 15)
UNAUTHENTICATED = 401


@dataclass
class ReplayAccount:
    """Who asks: the token is fetched when there is none, and renewed when it has run out."""

    email: str
    password: str
    user_id: str = ""
    token: str = ""


class ReplayClient:
    """Used by one thread at a time."""

    def __init__(self, gateway: str, retry_policy: RetryPolicy) -> None:
        self._gateway = gateway
        self._retry_policy = retry_policy
        self._session = new_session()

    def request(
        self, method: str, path: str, account: ReplayAccount | None = None, **given: Any
    ) -> requests.Response:
        """The first answer that is no transient failure; `given`: `json` and an idempotency `key`.

        Raises Fault when there is none in time, or when a fresh token is refused.
        """
        if account is None:
            return self._with_retries(method, path, None, **given)
        if not account.token:
            self.log_in(account)
        answer = self._with_retries(method, path, account, **given)
        if answer.status_code == UNAUTHENTICATED:
            self.log_in(account)
            answer = self._with_retries(method, path, account, **given)
        return answer

    def log_in(self, account: ReplayAccount) -> None:
        credentials = {"email": account.email, "password": account.password}
        login = expect(self.request("POST", "/user-service/login", json=credentials), 200).json()
        account.user_id, account.token = login["userId"], login["accessToken"]

    def pages(self, path: str, account: ReplayAccount | None = None) -> Iterator[dict[str, Any]]:
        """The entries of the list at `path`, and of the pages that follow."""
        while path:
            answer = expect(self.request("GET", path, account), 200)
            yield from answer.json()
            path = answer.links.get("next", {}).get("url", "")

    def close(self) -> None:
        self._session.close()

    def _with_retries(
        self, method: str, path: str, account: ReplayAccount | None, **given: Any
    ) -> requests.Response:
        def attempt() -> requests.Response:
            return self._once(method, path, account, **given)

        return self._retry_policy.call(attempt, f"{method} {path}")

    def _once(
        self, method: str, path: str, account: ReplayAccount | None, key: str = "", json: Any = None
    ) -> requests.Response:
        headers = {"Idempotency-Key": key} if key else {}
        if account:
            headers["Authorization"] = f"Bearer {account.token}"
        try:
            answer = self._session.request(
                method, self._gateway + path, json=json, headers=headers, timeout=TIMEOUT
            )
        except requests.RequestException as error:
            raise TransientError(f"no answer ({type(error).__name__})") from error
        if _is_transient(answer):
            raise TransientError(f"{answer.status_code} {code(answer)}", _retry_after(answer))
        return answer


def code(answer: requests.Response) -> str:
    """The slug of a refusal; its status when it has none."""
    try:
        return str(answer.json()["code"])
    except (ValueError, KeyError, TypeError):
        return str(answer.status_code)


def expect(answer: requests.Response, *statuses: int) -> requests.Response:
    """`answer`, if it is one of `statuses`."""
    if answer.status_code in statuses:
        return answer
    raise Fault(
        f"the shop answered {answer.status_code} {code(answer)}, which a replay does not expect",
        where=f"It was {answer.request.method} {answer.request.path_url}, "
        f"trace {answer.headers.get('X-Trace-Id', 'unknown')}.",
        remedy="see `make logs`, and `make verify`.",
    )


def _is_transient(answer: requests.Response) -> bool:
    status = answer.status_code
    if status == 409:
        return code(answer) == "idempotency-in-progress"
    return status == 429 or status >= 500


def _retry_after(answer: requests.Response) -> float:
    text = answer.headers.get("Retry-After", "")
    return float(text) if text.isdecimal() else 0.0

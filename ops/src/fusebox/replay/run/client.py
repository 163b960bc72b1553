"""One connection to the gateway that asks again while the trouble may pass."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import requests

from fusebox.core.errors import Fault
from fusebox.replay.run.retry_policy import Passing, Patience

TIMEOUT = (2, 15)
UNAUTHENTICATED = 401


@dataclass
class Account:
    """Who asks.  The token is fetched when there is none, and renewed when it has run out."""

    email: str
    password: str
    user_id: str = ""
    token: str = ""


class Hand:
    """Used by one thread at a time."""

    def __init__(self, gateway: str, patience: Patience) -> None:
        self._gateway = gateway
        self._patience = patience
        self._session = requests.Session()
        self._session.trust_env = False  # no proxy stands before a shop of one's own

    def ask(
        self, method: str, path: str, account: Account | None = None, **given: Any
    ) -> requests.Response:
        """The first answer that is none of trouble.  `given`: `json`, and `key` for idempotency.

        Raises Fault when there is none in time, or when a fresh token is refused.
        """
        if account is None:
            return self._persist(method, path, None, **given)
        if not account.token:
            self.log_in(account)
        answer = self._persist(method, path, account, **given)
        if answer.status_code == UNAUTHENTICATED:
            self.log_in(account)
            answer = self._persist(method, path, account, **given)
        return answer

    def log_in(self, account: Account) -> None:
        credentials = {"email": account.email, "password": account.password}
        said = expect(self.ask("POST", "/user-service/login", json=credentials), 200).json()
        account.user_id, account.token = said["userId"], said["accessToken"]

    def pages(self, path: str, account: Account | None = None) -> Iterator[dict[str, Any]]:
        """The entries of the list at `path`, and of the pages that follow."""
        while path:
            answer = expect(self.ask("GET", path, account), 200)
            yield from answer.json()
            path = answer.links.get("next", {}).get("url", "")

    def close(self) -> None:
        self._session.close()

    def _persist(
        self, method: str, path: str, account: Account | None, **given: Any
    ) -> requests.Response:
        def attempt() -> requests.Response:
            return self._once(method, path, account, **given)

        return self._patience.persist(attempt, f"{method} {path}")

    def _once(
        self, method: str, path: str, account: Account | None, key: str = "", json: Any = None
    ) -> requests.Response:
        headers = {"Idempotency-Key": key} if key else {}
        if account:
            headers["Authorization"] = f"Bearer {account.token}"
        try:
            answer = self._session.request(
                method, self._gateway + path, json=json, headers=headers, timeout=TIMEOUT
            )
        except requests.RequestException as error:
            raise Passing(f"no answer ({type(error).__name__})") from error
        if _is_passing(answer):
            raise Passing(f"{answer.status_code} {code(answer)}", _retry_after(answer))
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
        f"the shop answered {answer.status_code} {code(answer)}, which no replay should meet",
        where=f"It was {answer.request.method} {answer.request.path_url}, "
        f"trace {answer.headers.get('X-Trace-Id', 'unknown')}.",
        remedy="see `make logs`, and `make verify`.",
    )


def _is_passing(answer: requests.Response) -> bool:
    status = answer.status_code
    if status == 409:
        return code(answer) == "idempotency-in-progress"
    return status == 429 or status >= 500


def _retry_after(answer: requests.Response) -> float:
    text = answer.headers.get("Retry-After", "")
    return float(text) if text.isdecimal() else 0.0

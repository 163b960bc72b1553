"""The rights that a caller has at this moment, asked of the service that gives them."""

from typing import Any

from pydantic import BaseModel, ValidationError

from chassis.core.errors import InsufficientScope, InvalidToken, Unavailable
from chassis.resilience.service_client import ServiceClient
from chassis.web.auth import Caller

ASKED_TOO_LATE = {401, 404}


class RolesAnswer(BaseModel):
    roles: list[str]


class UserStore:
    """For what changes other people's things the word of a token is not enough: it may be old."""

    def __init__(self, service: ServiceClient) -> None:
        self._service = service

    def require_admin(self, caller: Caller, authorization: str) -> None:
        """The caller's token says admin, and so does the user store.

        Raises InsufficientScope, InvalidToken when the account is gone, or Unavailable: nobody is
        an admin for want of an answer.
        """
        caller.require_admin()
        try:
            roles = self._roles(caller, authorization)
        except Unavailable as error:
            raise Unavailable(
                "Whether this admin still is one cannot be checked at the moment, as "
                f"{self._service.service} is away; nothing was done.",
                code="rights-unchecked",
                retry_after=error.retry_after,
            ) from error
        if "admin" not in roles:
            raise InsufficientScope("Only an admin may do this.")

    def _roles(self, caller: Caller, authorization: str) -> list[str]:
        answer = self._service.get(
            f"/users/{caller.id()}/roles",
            "/users/{user_id}/roles",
            headers={"Authorization": authorization},
        )
        if answer.status_code in ASKED_TOO_LATE:
            raise InvalidToken("The account of this token has been deleted, or the token is over.")
        if answer.status_code != 200:
            raise Unavailable(f"{self._service.service} answered {answer.status_code}.")
        return _parsed(answer.content)


def _parsed(content: Any) -> list[str]:
    try:
        return RolesAnswer.model_validate_json(content).roles
    except ValidationError as error:
        raise Unavailable("The roles cannot be read.") from error

"""Who asks a server of the platform: a process of the shop, or a guest with name and password."""

from collections.abc import Mapping

from chassis.core.environment import Environment
from chassis.core.errors import UnknownGuest, UnknownService
from chassis.identity.assertions import HEADER, AssertionVerifier
from chassis.identity.guests import GUEST, GuestPassword


class PlatformAccess:
    def __init__(self, realm: str, assertions: AssertionVerifier, guests: GuestPassword) -> None:
        self._realm = realm
        self._assertions = assertions
        self._guests = guests

    @classmethod
    def of(cls, environment: Environment) -> "PlatformAccess":
        assertions, guests = AssertionVerifier.of(environment), GuestPassword.of(environment)
        return cls(environment.service, assertions, guests)

    @property
    def services(self) -> frozenset[str]:
        """The names that belong to the shop's own processes."""
        return self._assertions.services

    def principal_of(self, headers: Mapping[str, str], remote: str) -> str | None:
        """The service's name or GUEST; None for who shows nothing.

        Raises UnknownGuest, RateLimited or NotAllowedToCall for who shows what is not good.
        """
        if HEADER in headers:
            try:
                return self._assertions.caller_of(headers[HEADER])
            except UnknownService as error:
                raise UnknownGuest(error.detail, self._realm) from error
        authorization = headers.get("Authorization", "")
        # A token of a user says nothing here.
        if not authorization.lower().startswith("basic"):
            return None
        self._guests.check(authorization, remote)
        return GUEST

    def required(self) -> UnknownGuest:
        """What to raise where nobody may come without."""
        return UnknownGuest(
            "A name and a password are required: `make credentials` prints them.", self._realm
        )

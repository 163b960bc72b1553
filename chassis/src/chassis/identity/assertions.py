"""Which process calls: it says so with an assertion that it has signed with its own key.

A JWT as in RFC 7523, 3: issuer and subject are the caller, the audience is the called service.  It
stands in a header of its own, beside the token of the user for whom the call is made.
"""

import logging
import secrets
import time
from collections.abc import Callable

import jwt
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from jwt.algorithms import ECAlgorithm

from chassis.core.environment import Environment
from chassis.core.errors import NotAllowedToCall, UnknownService
from chassis.identity.keys import FILE, ServiceKeys, private_key_of, thumbprint

log = logging.getLogger(__name__)

HEADER = "Service-Assertion"
ALGORITHM = "ES256"
# RFC 8725, 3.11: no other kind of token is taken for one, nor it for another.
TYPE = "client-authentication+jwt"
REQUIRED = ["iss", "sub", "aud", "iat", "exp"]
LIFETIME_SECONDS = 300
# Then the next calls get another, so that none is shown in its last moments.
RENEWED_AFTER_SECONDS = 120
# Between the clocks of two machines.
LEEWAY_SECONDS = 10
REMEMBERED = 1_000


class ServiceIdentity:
    """Signs for `service`, once for each that it calls and every two minutes."""

    def __init__(self, service: str, pem: str, clock: Callable[[], float] = time.time) -> None:
        """Raises ValueError for a key of another kind."""
        key = load_pem_private_key(pem.encode(), password=None)
        if not isinstance(key, EllipticCurvePrivateKey) or key.curve.name != "secp256r1":
            raise ValueError(f"the key of {service} is none for {ALGORITHM}")
        self.service = service
        self._key = key
        self._key_id = thumbprint(ECAlgorithm.to_jwk(key.public_key(), as_dict=True))
        self._clock = clock
        self._signed: dict[str, tuple[float, str]] = {}

    def assertion(self, called: str) -> str:
        known = self._signed.get(called)
        now = self._clock()
        if known is None or known[0] <= now:
            if len(self._signed) >= REMEMBERED:  # names that somebody else has chosen
                self._signed.clear()
            known = (now + RENEWED_AFTER_SECONDS, self._sign(called, int(now)))
            self._signed[called] = known
        return known[1]

    def _sign(self, called: str, now: int) -> str:
        claims = {
            "iss": self.service,
            "sub": self.service,
            "aud": called,
            "iat": now,
            "exp": now + LIFETIME_SECONDS,
            "jti": secrets.token_urlsafe(12),
        }
        return jwt.encode(claims, self._key, ALGORITHM, {"kid": self._key_id, "typ": TYPE})


class OwnIdentity:
    """That of this process, which calls without one while its key is missing."""

    def __init__(self, environment: Environment) -> None:
        self._environment = environment
        self._identity: ServiceIdentity | None = None
        self._logged = ""

    def headers(self, called: str) -> dict[str, str]:
        """What shows `called` who calls."""
        identity = self._identity or self._load()
        return {HEADER: identity.assertion(called)} if identity else {}

    def _load(self) -> ServiceIdentity | None:
        service = self._environment.service
        try:
            key = self._environment.secret(private_key_of(service))
            self._identity = ServiceIdentity(service, key)
        except (OSError, ValueError) as error:
            if str(error) != self._logged:
                log.warning("calls go out without the identity of %s: %s", service, error)
            self._logged = str(error)
        return self._identity


class AssertionVerifier:
    """Tells `called` who calls it.  What was verified is known by its bytes until it expires."""

    def __init__(
        self, called: str, keys: ServiceKeys, clock: Callable[[], float] = time.time
    ) -> None:
        self._called = called
        self._keys = keys
        self._clock = clock
        self._verified: dict[str, tuple[str, int]] = {}

    @classmethod
    def of(cls, environment: Environment) -> "AssertionVerifier":
        return cls(environment.service, ServiceKeys(environment.secrets / FILE))

    @property
    def services(self) -> frozenset[str]:
        """The names that belong to the shop's own processes."""
        return self._keys.current().services

    def caller_of(self, assertion: str | None) -> str:
        """The name of the calling process.

        Raises UnknownService without an assertion or with any but a good one, and NotAllowedToCall
        when that process has no business here.
        """
        if not assertion:
            raise UnknownService("Only services of the shop may call this directly.")
        caller, expires = self._verified.get(assertion) or self._verify(assertion)
        if expires <= self._clock():
            raise UnknownService("The service assertion has expired.")
        return caller

    def _verify(self, assertion: str) -> tuple[str, int]:
        try:
            header = jwt.get_unverified_header(assertion)
            known = self._keys.current().by_id.get(str(header.get("kid")))
            if known is None or header.get("typ") != TYPE:
                raise UnknownService("The service assertion is signed with an unknown key.")
            claims = jwt.decode(
                assertion,
                known.key,
                algorithms=[ALGORITHM],
                issuer=known.service,
                audience=self._called,
                subject=known.service,
                leeway=LEEWAY_SECONDS,
                options={"require": REQUIRED, "strict_aud": True},
            )
            issued, expires = int(claims["iat"]), int(claims["exp"])
        # Claims may be of any type, and nested deeply.
        except (jwt.PyJWTError, ValueError, OverflowError, RecursionError) as error:
            raise UnknownService("The service assertion is not valid.") from error
        if expires - issued > LIFETIME_SECONDS:
            raise UnknownService("The service assertion is good for too long.")
        if self._called not in known.calls:
            raise NotAllowedToCall(f"{known.service} may not call {self._called}.")
        if len(self._verified) >= REMEMBERED:
            self._verified.clear()
        self._verified[assertion] = (known.service, expires)
        return known.service, expires

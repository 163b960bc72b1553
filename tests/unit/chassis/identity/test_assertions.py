"""Who calls is believed by a good assertion alone, and only who may call gets in."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st

from chassis.core.environment import Environment
from chassis.core.errors import NotAllowedToCall, UnknownService
from chassis.identity.assertions import (
    LIFETIME_SECONDS,
    TYPE,
    AssertionVerifier,
    OwnIdentity,
    ServiceIdentity,
)
from chassis.identity.keys import FILE, ServiceKeys
from fusebox.core import secrets

from ....identities import identity, jwks, made_secrets, private_key

CALLS = {
    "gateway": ["order-service"],
    "order-service": ["catalog-service"],
    "catalog-service": [],
}


class Clock:
    def __init__(self) -> None:
        self.now = time.time()

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    file = tmp_path / FILE
    file.write_text(jwks(CALLS))
    return file


@pytest.fixture
def verifier(keys: Path) -> AssertionVerifier:
    return AssertionVerifier("order-service", ServiceKeys(keys))


def signed(
    service: str = "gateway",
    key: Any = None,
    algorithm: str = "ES256",
    head: dict[str, Any] | None = None,
    **changed: Any,
) -> str:
    now = int(time.time())
    claims = {
        "iss": "gateway",
        "sub": "gateway",
        "aud": "order-service",
        "iat": now,
        "exp": now + 60,
        **changed,
    }
    claims = {name: value for name, value in claims.items() if value is not None}
    known = {"kid": secrets.public_key(private_key(service))["kid"], "typ": TYPE, **(head or {})}
    return jwt.encode(claims, key or private_key(service), algorithm, headers=known)


def test_a_service_that_may_call_is_known_by_its_assertion(verifier: AssertionVerifier) -> None:
    assert verifier.caller_of(identity("gateway").assertion("order-service")) == "gateway"
    assert verifier.caller_of(signed()) == "gateway"


def test_a_service_that_has_no_business_here_is_known_and_refused(
    verifier: AssertionVerifier,
) -> None:
    with pytest.raises(NotAllowedToCall, match="catalog-service may not call order-service"):
        verifier.caller_of(identity("catalog-service").assertion("order-service"))


def from_another_key() -> str:
    return signed(key=ec.generate_private_key(ec.SECP256R1()))


def with_the_public_key_as_a_password() -> str:
    public = secrets.public_key(private_key("gateway"))
    return signed(key=public["x"], algorithm="HS256")


@pytest.mark.parametrize(
    "forged",
    [
        lambda: None,
        lambda: "",
        lambda: "x",
        lambda: "a.b.c",
        lambda: "é" * 50,
        from_another_key,
        with_the_public_key_as_a_password,
        lambda: signed(key=private_key("catalog-service")),
        lambda: signed(iss="order-service"),
        lambda: signed(sub="order-service"),
        lambda: signed("catalog-service"),
        lambda: signed(aud="catalog-service"),
        lambda: signed(aud=["order-service"]),
        lambda: signed(aud=["order-service", "catalog-service"]),
        lambda: signed(iat=int(time.time()) + 600, exp=int(time.time()) + 660),
        lambda: signed(exp=int(time.time()) - 1),
        lambda: signed(exp=int(time.time()) + LIFETIME_SECONDS + 60),
        lambda: signed(exp=None),
        lambda: signed(iat=None),
        lambda: signed(aud=None),
        lambda: signed(sub=None),
        lambda: signed(iss=None),
        lambda: signed(exp=float("inf")),
        lambda: signed(exp="soon"),
        lambda: signed(head={"typ": "JWT"}),
        lambda: signed(head={"kid": "another"}),
        lambda: signed(head={"crit": ["x"], "x": 1}),
        lambda: f"{signed()} ",
        lambda: f"{signed()}, {signed()}",
        lambda: f"Bearer {signed()}",
        lambda: signed()[:-4],
    ],
)
def test_anything_else_is_refused(
    verifier: AssertionVerifier, forged: Callable[[], str | None]
) -> None:
    with pytest.raises(UnknownService):
        verifier.caller_of(forged())


@given(st.text())
def test_any_text_is_refused(text: str) -> None:
    with pytest.raises(UnknownService):
        AssertionVerifier("order-service", ServiceKeys(Path("/nowhere"))).caller_of(text)


def test_one_is_signed_for_each_called_service_and_for_some_time() -> None:
    clock = Clock()
    own = ServiceIdentity("gateway", private_key("gateway"), clock)
    first = own.assertion("order-service")

    assert own.assertion("order-service") == first
    assert own.assertion("user-service") != first
    clock.now += LIFETIME_SECONDS / 2
    assert own.assertion("order-service") != first


def test_one_that_was_verified_is_good_until_it_expires(keys: Path) -> None:
    clock = Clock()
    verifier = AssertionVerifier("order-service", ServiceKeys(keys), clock)
    assertion = identity("gateway").assertion("order-service")

    assert verifier.caller_of(assertion) == "gateway"
    clock.now += LIFETIME_SECONDS - 10
    assert verifier.caller_of(assertion) == "gateway"
    clock.now += 20
    with pytest.raises(UnknownService, match="expired"):
        verifier.caller_of(assertion)


def test_a_key_that_comes_or_goes_takes_effect_without_a_restart(
    keys: Path, verifier: AssertionVerifier
) -> None:
    new = identity("review-service").assertion("order-service")
    with pytest.raises(UnknownService):
        verifier.caller_of(new)

    keys.write_text(jwks({"review-service": ["order-service"]}))

    assert verifier.caller_of(new) == "review-service"
    assert verifier.services == {"review-service"}
    with pytest.raises(UnknownService):
        verifier.caller_of(identity("gateway").assertion("order-service"))


def test_a_file_of_keys_that_is_broken_changes_nothing(
    keys: Path, verifier: AssertionVerifier
) -> None:
    assert verifier.caller_of(signed()) == "gateway"
    keys.write_text("{")

    assert verifier.caller_of(signed()) == "gateway"


def test_a_process_without_a_key_calls_without_an_identity_until_it_has_one(
    tmp_path: Path,
) -> None:
    environment = Environment.read("gateway", {"FUSEBOX_SECRETS": str(tmp_path / "secrets")})
    own = OwnIdentity(environment)
    assert own.headers("order-service") == {}

    made_secrets(tmp_path)

    [assertion] = own.headers("order-service").values()
    keys = ServiceKeys(tmp_path / "secrets" / FILE)
    assert AssertionVerifier("order-service", keys).caller_of(assertion) == "gateway"


@pytest.mark.parametrize("pem", ["", "x", private_key("a").replace("M", "N")])
def test_a_key_of_another_kind_is_none(pem: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        ServiceIdentity("gateway", pem)

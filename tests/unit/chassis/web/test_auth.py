"""Credentials as a client may write them, and what is said to those that will not do."""

import base64
import time

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as some

from chassis.core.errors import InvalidToken, Problem, Unauthenticated
from chassis.web import problem_details
from chassis.web.auth import Caller, TokenVerifier

KEY = ec.generate_private_key(ec.SECP256R1())
NOW = int(time.time())
CLAIMS = {"sub": "u", "iss": "fusebox", "iat": NOW, "exp": NOW + 600, "roles": []}
TOKEN = jwt.encode(CLAIMS, KEY, "ES256", {"kid": "k1"})


def verifier() -> TokenVerifier:
    public = jwt.algorithms.ECAlgorithm.to_jwk(KEY.public_key(), as_dict=True)
    made = TokenVerifier(lambda: {"keys": [{**public, "kid": "k1", "alg": "ES256", "use": "sig"}]})
    made.refresh()
    return made


VERIFIER = verifier()


@pytest.mark.parametrize(
    "written",
    ["Bearer {}", "Bearer  {}", "bearer {}", "BEARER     {}", " Bearer {} ", "Bearer {}\t"],
)
def test_one_space_or_more_stand_before_a_token(written: str) -> None:
    assert VERIFIER.caller_of(written.format(TOKEN)).subject == "u"


@pytest.mark.parametrize(
    "written",
    [
        *("Bearer", "bearer ", "Bearer\t{}", "Bearer \t{}", "Bearer {} x", "Bearer {}, Bearer {}"),
        *("Bearer {},", 'Bearer "{}"', "Bearer token={}", "Bearer {}é", "Bearer x", "Bearer a.b.c"),
        *("Bearer ==", "Bearer {}=", "Bearer {}\x00"),
    ],
)
def test_a_token_that_will_not_do_is_named_as_the_error(written: str) -> None:
    with pytest.raises(InvalidToken) as refused:
        VERIFIER.caller_of(written.format(TOKEN, TOKEN))

    challenge = problem_details.headers(refused.value)["WWW-Authenticate"]
    assert challenge.startswith('Bearer error="invalid_token", error_description="')


@pytest.mark.parametrize(
    "written", [None, "", " ", "Basic dTpw", "{}", "Bearer{}", "Digest Bearer"]
)
def test_who_has_sent_no_token_is_told_of_no_error(written: str | None) -> None:
    with pytest.raises(Unauthenticated) as refused:
        VERIFIER.caller_of(written and written.format(TOKEN))

    assert problem_details.headers(refused.value)["WWW-Authenticate"] == "Bearer"


def test_a_token_that_has_expired_is_named_as_the_error() -> None:
    old = jwt.encode({**CLAIMS, "exp": NOW - 1}, KEY, "ES256", {"kid": "k1"})

    with pytest.raises(InvalidToken) as refused:
        VERIFIER.caller_of(f"Bearer {old}")

    assert refused.value.code == "token-expired"
    assert 'error="invalid_token"' in problem_details.headers(refused.value)["WWW-Authenticate"]


def test_a_good_token_that_does_not_reach_so_far_is_told_so() -> None:
    caller = Caller("u", frozenset(), 0.0)

    for forbidden in (caller.require_admin, lambda: caller.require("v")):
        with pytest.raises(Problem) as refused:
            forbidden()
        challenge = problem_details.headers(refused.value)["WWW-Authenticate"]
        assert challenge.startswith('Bearer error="insufficient_scope"')


def encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


@pytest.mark.parametrize(
    "head", [b"[" * 9_000, b'{"alg":"ES256","kid":' + b"[" * 9_000, b"1", b"{}", b'{"kid":{}}']
)
def test_a_token_whose_head_is_nonsense_is_not_valid(head: bytes) -> None:
    with pytest.raises(InvalidToken):
        VERIFIER.caller_of(f"Bearer {encoded(head)}.{encoded(b'{}')}.x")


@given(some.text(), some.sampled_from(["", "Bearer ", "bearer  "]), some.lists(some.binary()))
def test_whatever_is_sent_there_is_an_answer(text: str, scheme: str, parts: list[bytes]) -> None:
    for written in (scheme + text, scheme + ".".join(encoded(part) for part in parts)):
        with pytest.raises(Unauthenticated):
            VERIFIER.caller_of(written)


def test_a_token_is_good_no_longer_than_its_key_is_published() -> None:
    other = ec.generate_private_key(ec.SECP256R1())
    published = {"k1": KEY, "k2": other}
    made = TokenVerifier(lambda: {"keys": [_jwk(id, key) for id, key in published.items()]})
    made.refresh()
    newer = jwt.encode(CLAIMS, other, "ES256", {"kid": "k2"})
    assert made.caller_of(f"Bearer {TOKEN}") == made.caller_of(f"Bearer {newer}")

    del published["k1"]
    made.refresh()

    with pytest.raises(InvalidToken, match="unknown key"):
        made.caller_of(f"Bearer {TOKEN}")
    assert made.caller_of(f"Bearer {newer}").subject == "u"


def test_a_token_is_not_good_for_another_key_under_the_same_id() -> None:
    published = {"k1": KEY}
    made = TokenVerifier(lambda: {"keys": [_jwk(id, key) for id, key in published.items()]})
    made.refresh()
    assert made.caller_of(f"Bearer {TOKEN}")

    published["k1"] = ec.generate_private_key(ec.SECP256R1())
    made.refresh()

    with pytest.raises(InvalidToken):
        made.caller_of(f"Bearer {TOKEN}")


def _jwk(key_id: str, key: ec.EllipticCurvePrivateKey) -> dict[str, object]:
    public = jwt.algorithms.ECAlgorithm.to_jwk(key.public_key(), as_dict=True)
    return {**public, "kid": key_id, "alg": "ES256", "use": "sig"}

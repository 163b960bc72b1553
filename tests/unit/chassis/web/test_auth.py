"""Credentials as a client may write them, and what is said to those that will not do."""

import base64
import hmac
import json
import time
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as some
from jwt.utils import der_to_raw_signature

from chassis.core.errors import InvalidToken, Problem, Unauthenticated
from chassis.web import problem_details
from chassis.web.auth import Caller, TokenVerifier
from chassis.web.revocations import Revocations

KEY = ec.generate_private_key(ec.SECP256R1())
NOW = int(time.time())
SUBJECT = "u"
CLAIMS = {
    "sub": SUBJECT,
    "iss": "fusebox",
    "aud": "fusebox-services",
    "iat": NOW,
    "exp": NOW + 600,
    "roles": ["user"],
}
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

    with pytest.raises(Problem) as refused:
        caller.require_admin()

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


STRANGER = ec.generate_private_key(ec.SECP256R1())
PUBLIC_PEM = KEY.public_key().public_bytes(
    serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
)
PUBLIC_DER = KEY.public_key().public_bytes(
    serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
)
THEIR_JWK: dict[str, object] = {"jwk": _jwk("k1", STRANGER)}
UNSIGNED = TOKEN.rpartition(".")[0]
PUBLIC_JWK = json.dumps(_jwk("k1", KEY)).encode()


def part(content: object) -> str:
    return encoded(json.dumps(content).encode())


def signed(claims: object, header: dict[str, object], key: Any = KEY) -> str:
    """By ES256, whatever the header says."""
    text = f"{part({'alg': 'ES256', 'typ': 'JWT', **header})}.{part(claims)}"
    return f"{text}.{encoded(der_to_raw_signature(der_signature(text, key), key.curve))}"


def der_signature(text: str, key: Any = KEY) -> bytes:
    return bytes(key.sign(text.encode(), ec.ECDSA(hashes.SHA256())))


def with_secret(secret: bytes, algorithm: str) -> str:
    """HMAC as RFC 7518 says, since a library may refuse to use a public key for it."""
    text = f"{part({'alg': algorithm, 'kid': 'k1'})}.{part(CLAIMS)}"
    digest = {"HS256": "sha256", "HS384": "sha384", "HS512": "sha512"}[algorithm]
    return f"{text}.{encoded(hmac.new(secret, text.encode(), digest).digest())}"


def without_signature(algorithm: str, signature: str = "") -> str:
    return f"{part({'alg': algorithm, 'kid': 'k1'})}.{part(CLAIMS)}.{signature}"


def without(name: str) -> str:
    return signed({key: CLAIMS[key] for key in CLAIMS if key != name}, {"kid": "k1"})


OTHER_AUDIENCES: tuple[object, ...] = (
    *("evil", "fusebox", "fusebox-services ", "", None),
    *([], ["evil"], [1], {}),
)
FORGED = {
    **{f"alg {name}": without_signature(name) for name in ("none", "None", "NONE", "nOnE", "")},
    "alg none with a signature": without_signature("none", TOKEN.rpartition(".")[2]),
    "no signature": UNSIGNED + ".",
    "a signature of zeros": f"{UNSIGNED}.{encoded(bytes(64))}",
    "a signature in DER": f"{UNSIGNED}.{encoded(der_signature(UNSIGNED))}",
    **{
        f"signed by ES256, {said!r} said": signed(CLAIMS, {"kid": "k1", "alg": said})
        for said in ("none", "HS256", "ES384", "EdDSA", "es256", "", None, 256)
    },
    **{
        f"{algorithm} with the public key as {form}": with_secret(secret, algorithm)
        for algorithm in ("HS256", "HS384", "HS512")
        for form, secret in {
            "PEM": PUBLIC_PEM, "stripped PEM": PUBLIC_PEM.strip(), "DER": PUBLIC_DER,
            "JWK": PUBLIC_JWK, "nothing": b"",
        }.items()
    },
    "another key under our id": signed(CLAIMS, {"kid": "k1"}, STRANGER),
    "its own key beside our id": signed(CLAIMS, {"kid": "k1", **THEIR_JWK}, STRANGER),
    "its own key alone in the header": signed(CLAIMS, THEIR_JWK, STRANGER),
    **{
        f"a {name} of its own": signed(CLAIMS, {"kid": "k1", name: value}, STRANGER)
        for name, value in {
            "jku": "https://evil.example/jwks.json", "x5u": "https://evil.example/cert.pem",
            "x5c": ["MIIB"], "x5t": "x",
        }.items()
    },
    **{
        f"the key id {kid!r}": signed(CLAIMS, {"kid": kid}, STRANGER)
        for kid in (
            "../../../../dev/null", "/dev/null", "k1' OR '1'='1", "k1\x00", "K1", "k1 ", "",
            "https://evil.example/jwks.json", "__class__", "None",
        )
    },
    "no key id": signed(CLAIMS, {}),
    "a critical extension": signed(CLAIMS, {"kid": "k1", "crit": ["exp2"], "exp2": NOW}),
    "a critical extension that is not there": signed(CLAIMS, {"kid": "k1", "crit": ["exp"]}),
    "an empty list of critical extensions": signed(CLAIMS, {"kid": "k1", "crit": []}),
    "a payload that is not encoded": signed(CLAIMS, {"kid": "k1", "b64": False, "crit": ["b64"]}),
    "not yet": signed({**CLAIMS, "nbf": NOW + 3600}, {"kid": "k1"}),
    "issued tomorrow": signed({**CLAIMS, "iat": NOW + 86_400}, {"kid": "k1"}),
    "expired": signed({**CLAIMS, "exp": NOW - 1}, {"kid": "k1"}),
    "expires at no time": signed({**CLAIMS, "exp": "never"}, {"kid": "k1"}),
    **{f"another issuer, {iss!r}": signed({**CLAIMS, "iss": iss}, {"kid": "k1"})
       for iss in ("evil", "Fusebox", "fusebox ", "", ["fusebox", "evil"], None)},
    **{f"another audience, {aud!r}": signed({**CLAIMS, "aud": aud}, {"kid": "k1"})
       for aud in OTHER_AUDIENCES},
    **{f"a subject that is {sub!r}": signed({**CLAIMS, "sub": sub}, {"kid": "k1"})
       for sub in (1, None, ["u"], {"u": 1})},
    **{f"without {name}": without(name) for name in ("exp", "iat", "sub", "iss", "aud")},
    "claims that are no object": signed([], {"kid": "k1"}),
}  # fmt: skip


@pytest.mark.parametrize("token", FORGED.values(), ids=FORGED)
def test_a_token_that_is_not_whole_in_every_respect_is_refused(token: str) -> None:
    for _again in range(2):
        with pytest.raises(InvalidToken):
            VERIFIER.caller_of(f"Bearer {token}")


def test_a_token_may_name_other_audiences_beside_ours() -> None:
    token = signed({**CLAIMS, "aud": ["other", "fusebox-services"]}, {"kid": "k1"})

    assert VERIFIER.caller_of(f"Bearer {token}").subject == "u"


@pytest.mark.parametrize("roles", ["admin", {"admin": True}, [["admin"]], [1], None, 7, True])
def test_roles_that_are_no_list_of_names_give_no_rights(roles: object) -> None:
    token = signed({**CLAIMS, "roles": roles}, {"kid": "k1"})

    assert VERIFIER.caller_of(f"Bearer {token}").roles == frozenset()


def test_a_key_of_another_kind_verifies_nothing() -> None:
    secret = base64.urlsafe_b64encode(b"s" * 32).decode().rstrip("=")
    made = TokenVerifier(
        lambda: {"keys": [{"kty": "oct", "k": secret, "kid": "k1", "alg": "HS256", "use": "sig"}]}
    )
    made.refresh()

    with pytest.raises(InvalidToken):
        made.caller_of(f"Bearer {jwt.encode(CLAIMS, b's' * 32, 'HS256', {'kid': 'k1'})}")


@pytest.mark.parametrize(
    ("in_token", "left", "now"),
    [
        (["user", "admin"], ["user"], {"user"}),
        (["user", "admin"], ["user", "admin"], {"user", "admin"}),
        (["user"], ["user", "admin"], {"user"}),
        (["admin"], ["user"], set()),
    ],
)
def test_a_token_has_the_roles_that_both_it_and_the_revocation_name(
    in_token: list[str], left: list[str], now: set[str]
) -> None:
    verifier = knowing({SUBJECT: left})
    token = signed({**CLAIMS, "roles": in_token}, {"kid": "k1"})

    assert verifier.caller_of(f"Bearer {token}").roles == now
    assert verifier.caller_of(f"Bearer {token}").roles == now


def test_the_token_of_a_closed_account_is_refused_though_it_was_verified_before() -> None:
    revoked: dict[str, list[str]] = {}
    verifier = knowing(revoked)
    assert verifier.caller_of(f"Bearer {TOKEN}").subject == SUBJECT

    revoked[SUBJECT] = []
    verifier._revocations.refresh()  # type: ignore[union-attr]

    with pytest.raises(InvalidToken, match="has been deleted"):
        verifier.caller_of(f"Bearer {TOKEN}")


def knowing(revoked: dict[str, list[str]]) -> TokenVerifier:
    revocations = Revocations(lambda _: {"asOf": 1, "keepSeconds": 60, "accounts": revoked})
    revocations.refresh()
    verifier = TokenVerifier(VERIFIER._fetch, revocations)
    verifier.refresh()
    return verifier

"""Logging in, and every way in which a token can be wrong."""

import base64
import json
import time
from typing import Any

import jwt
import pytest
from argon2 import PasswordHasher
from cryptography.hazmat.primitives.asymmetric import ec
from sqlalchemy import text


def claims_for(subject: str, **more: Any) -> dict[str, Any]:
    now = int(time.time())
    named = {"iss": "fusebox", "aud": "fusebox-services", "sub": subject, "roles": ["user"]}
    return named | {"iat": now, "exp": now + 60} | more


def signing_key(users: Any) -> str:
    return str(users.process.environment.secret("token-signing-key.pem"))


def key_id(users: Any) -> str:
    return str(users.call("GET", "/.well-known/jwks.json").json["keys"][0]["kid"])


def unsigned(part: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode()


def test_a_login_answers_with_a_token_in_body_and_headers(users: Any) -> None:
    ada = users.member()

    answer = users.log_in(ada.email.upper())

    assert answer.status_code == 200
    fixed = {"accessToken", "tokenType", "expiresIn", "userId"}
    assert set(answer.json) == fixed | {"refreshToken"}
    assert (answer.json["tokenType"], answer.json["expiresIn"]) == ("Bearer", 900)
    assert answer.headers["token"] == answer.json["accessToken"]
    assert answer.headers["userId"] == answer.json["userId"] == ada.id


def test_a_token_can_be_checked_with_the_published_key_alone(users: Any) -> None:
    ada = users.member()
    (key,) = users.call("GET", "/.well-known/jwks.json").json["keys"]

    assert {name: key[name] for name in ("kty", "crv", "use", "alg")} == {
        "kty": "EC",
        "crv": "P-256",
        "use": "sig",
        "alg": "ES256",
    }
    assert "d" not in key
    assert jwt.get_unverified_header(ada.token)["kid"] == key["kid"]
    claims = jwt.decode(
        ada.token,
        jwt.PyJWK(key),
        algorithms=["ES256"],
        issuer="fusebox",
        audience="fusebox-services",
    )
    assert (claims["sub"], claims["roles"]) == (ada.id, ["user"])
    assert claims["exp"] - claims["iat"] == 900
    assert claims["jti"]


def test_wrong_email_and_wrong_password_cannot_be_told_apart(users: Any) -> None:
    ada = users.member()

    answers = [
        users.log_in(ada.email, "a wrong password"),
        users.log_in("nobody@example.org"),
        users.log_in("nobody"),
        users.log_in("no\0body@example.org"),
        users.log_in(ada.email, ""),
    ]

    for answer in answers:
        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"] == "Bearer"
    documents = [answer.json | {"traceId": ""} for answer in answers]
    assert all(document == documents[0] for document in documents)


def test_wrong_email_and_wrong_password_cost_one_check_each(
    users: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada, checks = users.member(), []
    verify = PasswordHasher.verify

    def counted(self: PasswordHasher, known: str, password: str) -> bool:
        checks.append(known.split("$")[:4])
        return verify(self, known, password)

    monkeypatch.setattr(PasswordHasher, "verify", counted)
    users.log_in(ada.email, "a wrong password")
    users.log_in("nobody@example.org", "a wrong password")

    assert checks == 2 * [["", "argon2id", "v=19", "m=19456,t=2,p=1"]]


@pytest.mark.parametrize("given", [{}, {"email": "a@b.org"}, {"email": 1, "password": 2}])
def test_an_incomplete_login_names_its_fields(users: Any, given: dict[str, Any]) -> None:
    assert users.call("POST", "/login", json=given).status_code == 422


def test_a_hash_made_with_old_parameters_is_made_anew_at_login(users: Any) -> None:
    ada = users.member()
    old = PasswordHasher(time_cost=1, memory_cost=8192, parallelism=1).hash("correct horse battery")
    with users.engine.begin() as connection:
        change = text("UPDATE users SET password_hash = :old WHERE id = :id")
        connection.execute(change, {"old": old, "id": ada.id})

    assert users.log_in(ada.email).status_code == 200

    with users.engine.connect() as connection:
        query = text("SELECT password_hash FROM users WHERE id = :id")
        new = connection.execute(query, {"id": ada.id}).scalar()
    assert new.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert users.log_in(ada.email).status_code == 200


@pytest.mark.parametrize(
    "authorization",
    ["", "Bearer", "Bearer ", "Basic YTpi", "Bearer nonsense", "Bearer a.b.c", "Bearer é.é.é"],
)
def test_without_a_token_nobody_comes_in(users: Any, authorization: str) -> None:
    headers = {"Authorization": authorization}
    answer = users.client.get(users.member().path, headers=headers)

    assert answer.status_code == 401
    assert answer.json["code"] == "unauthenticated"
    challenge = answer.headers["WWW-Authenticate"]
    assert challenge.startswith("Bearer")
    assert ('error="invalid_token"' in challenge) == authorization.startswith("Bearer")


def test_a_forged_token_is_refused(users: Any) -> None:
    ada = users.member()
    key, kid = signing_key(users), {"kid": key_id(users)}
    stranger = ec.generate_private_key(ec.SECP256R1())
    head, payload, signature = ada.token.split(".")
    good = claims_for(ada.id)
    tokens = {
        "other key, our id": jwt.encode(good, stranger, "ES256", headers=kid),
        "other key, its id": jwt.encode(good, stranger, "ES256", headers={"kid": "theirs"}),
        "no key id": jwt.encode(good, key, "ES256"),
        "payload changed": f"{head}.{unsigned(good | {'roles': ['admin']})}.{signature}",
        "signature cut": f"{head}.{payload}.{signature[:-4]}",
        "alg none": f"{unsigned({'alg': 'none', **kid})}.{unsigned(good)}.",
        "alg none, signed": f"{unsigned({'alg': 'none', **kid})}.{unsigned(good)}.{signature}",
        "symmetric": jwt.encode(good, "x" * 32, "HS256", headers=kid),
        "other audience": jwt.encode(good | {"aud": "other"}, key, "ES256", headers=kid),
        "other issuer": jwt.encode(good | {"iss": "other"}, key, "ES256", headers=kid),
        "not ours to name": jwt.encode(good | {"sub": "nobody"}, key, "ES256", headers=kid),
        "issued tomorrow": jwt.encode(
            good | {"iat": good["iat"] + 86_400, "exp": good["exp"] + 90_000},
            key, "ES256", headers=kid,
        ),
        "never expires": jwt.encode(
            {name: value for name, value in good.items() if name != "exp"},
            key, "ES256", headers=kid,
        ),
    }  # fmt: skip

    answers = {what: users.call("GET", ada.path, token) for what, token in tokens.items()}

    assert {what: answer.status_code for what, answer in answers.items()} == dict.fromkeys(
        tokens, 401
    )


def test_an_expired_token_is_refused_and_says_that_it_has_expired(users: Any) -> None:
    ada, now = users.member(), int(time.time())
    claims = claims_for(ada.id, iat=now - 1000, exp=now - 1)
    token = jwt.encode(claims, signing_key(users), "ES256", headers={"kid": key_id(users)})

    answer = users.call("GET", ada.path, token)

    assert (answer.status_code, answer.json["code"]) == (401, "token-expired")


def test_a_well_signed_token_of_nobody_is_refused(users: Any) -> None:
    ada = users.member()
    claims = claims_for("018f0000-0000-7000-8000-000000000000", roles=["admin"])
    token = jwt.encode(claims, signing_key(users), "ES256", headers={"kid": key_id(users)})

    assert users.call("GET", ada.path, token).status_code == 401
    assert users.call("GET", "/users", token).status_code == 401

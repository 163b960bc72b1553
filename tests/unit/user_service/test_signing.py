"""The signing key: its id, its public half, and what it may not be."""

import json
import time
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from chassis.identity.keys import thumbprint
from fusebox.core.files import write_whole
from fusebox.core.secrets import public_key
from user_service.models import User
from user_service.signing import (
    CURRENT,
    NEXT,
    RETIRED,
    Signer,
    SigningKey,
    SigningKeys,
)


def pem(key: ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey) -> str:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()


def test_the_key_id_is_the_thumbprint_of_rfc_7638() -> None:
    # The public key of RFC 7517's appendix A.1, its thumbprint computed with another tool.
    public = {
        "kty": "EC",
        "crv": "P-256",
        "x": "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4",
        "y": "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM",
    }
    assert thumbprint(public) == "cn-I_WNMClehiVp51i_0VpOENW1upEerA8sEam5hn-s"


LIFETIME = 900


@dataclass
class Folder:
    """The secrets of a stack, and the signer that reads them."""

    path: Path

    def __post_init__(self) -> None:
        self.write(CURRENT, "first")
        self.signer = Signer(SigningKeys(self.path), lambda: LIFETIME)

    def write(self, name: str, key: str) -> None:
        write_whole(self.path / name, pem(KEYS[key]).encode())

    def retire(self, **seconds_ago: float) -> None:
        entries = [
            public_key(pem(KEYS[key])) | {"retiredAt": time.time() - ago}
            for key, ago in seconds_ago.items()
        ]
        write_whole(self.path / RETIRED, json.dumps(entries).encode())

    def published(self) -> list[str]:
        return [NAMES[key["kid"]] for key in self.signer.jwks()["keys"]]

    def signing(self) -> str:
        token = self.signer.token_for(User(user_id=uuid4(), role="user"), uuid4())
        return NAMES[jwt.get_unverified_header(token.text)["kid"]]


KEYS = {name: ec.generate_private_key(ec.SECP256R1()) for name in ("first", "second", "third")}
NAMES = {SigningKey(pem(key)).id: name for name, key in KEYS.items()}


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


def test_the_same_key_has_the_same_id_after_a_restart(folder: Folder) -> None:
    again = Signer(SigningKeys(folder.path), lambda: LIFETIME)

    assert again.jwks() == folder.signer.jwks()


def test_the_next_key_is_published_and_signs_nothing(folder: Folder) -> None:
    folder.write(NEXT, "second")

    assert (folder.published(), folder.signing()) == (["first", "second"], "first")


def test_a_key_takes_over_and_the_old_one_is_published_until_its_tokens_are_over(
    folder: Folder,
) -> None:
    folder.retire(first=0)
    folder.write(CURRENT, "second")

    assert (folder.published(), folder.signing()) == (["second", "first"], "second")

    folder.retire(first=LIFETIME + 1)
    assert folder.published() == ["second", "first"]
    folder.retire(first=LIFETIME + 61)
    assert folder.published() == ["second"]


def test_of_two_rotations_soon_after_one_another_both_old_keys_are_published(
    folder: Folder,
) -> None:
    folder.retire(first=30, second=0)
    folder.write(CURRENT, "third")

    assert folder.published() == ["third", "first", "second"]


def test_a_key_in_two_roles_is_published_once(folder: Folder) -> None:
    folder.write(NEXT, "first")
    folder.retire(first=0)

    assert folder.published() == ["first"]


@pytest.mark.parametrize("name", [CURRENT, NEXT, RETIRED])
@pytest.mark.parametrize("content", ["nonsense", "", "[{}]", "7", "[1]"])
def test_a_file_that_cannot_be_read_leaves_the_keys_as_they_are(
    folder: Folder, name: str, content: str
) -> None:
    (folder.path / name).write_text(content)

    assert (folder.published(), folder.signing()) == (["first"], "first")


def test_no_private_key_is_published(folder: Folder) -> None:
    folder.write(NEXT, "second")
    folder.retire(third=0)

    for key in folder.signer.jwks()["keys"]:
        assert set(key) == {"kty", "crv", "x", "y", "kid", "use", "alg"}


@pytest.mark.parametrize(
    "key", [ec.generate_private_key(ec.SECP384R1()), ed25519.Ed25519PrivateKey.generate()]
)
def test_a_key_of_another_kind_is_refused(
    key: ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey,
) -> None:
    with pytest.raises(ValueError, match="ES256"):
        SigningKey(pem(key))

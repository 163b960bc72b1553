"""Values encrypted with a symmetric key, as Spring's server does it."""

import hashlib
import secrets
from typing import Any

from cryptography.hazmat.primitives.ciphers import Cipher as BlockCipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES256
from cryptography.hazmat.primitives.ciphers.modes import CBC
from cryptography.hazmat.primitives.padding import PKCS7

from config_server.model import Source, Value

PREFIX = "{cipher}"
DEFAULT_SALT = "deadbeef"
ROUNDS = 1024
KEY_BYTES = 32
IV_BYTES = 16
INVALID = "<n/a>"


class NotOurs(ValueError):
    """A text that was not encrypted with this key."""


class Cipher:
    """AES-256-CBC; the initialisation vector goes before the text, all in hexadecimal."""

    def __init__(self, key: str, salt: str = DEFAULT_SALT) -> None:
        """`salt` is hexadecimal; raises ValueError when it is not."""
        self._aes = AES256(
            hashlib.pbkdf2_hmac("sha1", key.encode(), bytes.fromhex(salt), ROUNDS, KEY_BYTES)
        )

    def encrypt(self, text: str) -> str:
        vector = secrets.token_bytes(IV_BYTES)
        padder, encryptor = PKCS7(128).padder(), self._mode(vector).encryptor()
        padded = padder.update(text.encode()) + padder.finalize()
        return (vector + encryptor.update(padded) + encryptor.finalize()).hex()

    def decrypt(self, text: str) -> str:
        """Raises NotOurs."""
        try:
            content = bytes.fromhex(text)
            decryptor = self._mode(content[:IV_BYTES]).decryptor()
            padded = decryptor.update(content[IV_BYTES:]) + decryptor.finalize()
            unpadder = PKCS7(128).unpadder()
            return (unpadder.update(padded) + unpadder.finalize()).decode()
        except ValueError as error:
            raise NotOurs("Text not encrypted with this key") from error

    def _mode(self, vector: bytes) -> BlockCipher[CBC]:
        return BlockCipher(self._aes, CBC(vector))


def decrypted(source: Source, cipher: Cipher | None) -> Source:
    """What cannot be decrypted is there as `invalid.<key>`, and not under its own key."""
    if not any(_is_encrypted(each.value) for each in source.properties.values()):
        return source
    return Source(
        source.name,
        dict(_plain(key, each, cipher) for key, each in source.properties.items()),
    )


def _plain(key: str, found: Value, cipher: Cipher | None) -> tuple[str, Value]:
    if not _is_encrypted(found.value):
        return key, found
    try:
        if cipher is None:
            raise NotOurs("there is no key")
        return key, Value(cipher.decrypt(found.value.removeprefix(PREFIX)), found.origin)
    except NotOurs:
        return f"invalid.{key}", Value(INVALID, found.origin)


def _is_encrypted(value: Any) -> bool:
    return isinstance(value, str) and value.startswith(PREFIX)

"""Encryption of values with a symmetric key, compatible with Spring's config server."""

import hashlib
import re
import secrets
from typing import Any

from cryptography.hazmat.primitives.ciphers import Cipher as BlockCipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES256
from cryptography.hazmat.primitives.ciphers.modes import CBC
from cryptography.hazmat.primitives.padding import PKCS7

from config_server.model import PropertySource, PropertyValue

PREFIX = "{cipher}"
# What Spring's server chooses a key by; here one key serves all.
KEY_PREFIXES = re.compile(r"(?:\{(?!cipher\})[^{}:]*:[^{}]*\}|\{plain\})*")
ENVIRONMENT = re.compile(r"\{(?:name|profiles):[^{}]*\}|\{plain\}")
DEFAULT_SALT = "deadbeef"
ROUNDS = 1024
KEY_BYTES = 32
IV_BYTES = 16
INVALID = "<n/a>"


class DecryptionFailed(ValueError):
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
        """`{key:…}` and the like may stand before it; raises DecryptionFailed."""
        try:
            content = bytes.fromhex(split_prefixes(text)[1])
            decryptor = self._mode(content[:IV_BYTES]).decryptor()
            padded = decryptor.update(content[IV_BYTES:]) + decryptor.finalize()
            unpadder = PKCS7(128).unpadder()
            return (unpadder.update(padded) + unpadder.finalize()).decode()
        except ValueError as error:
            raise DecryptionFailed("Text not encrypted with this key") from error

    def _mode(self, vector: bytes) -> BlockCipher[CBC]:
        return BlockCipher(self._aes, CBC(vector))


def split_prefixes(text: str) -> tuple[str, str]:
    """`{key:testkey}` and others before `text`, and the rest; without those of no use later."""
    match = KEY_PREFIXES.match(text)
    prefixes = match[0] if match else ""
    return ENVIRONMENT.sub("", prefixes), text[len(prefixes) :]


def decrypted(source: PropertySource, cipher: Cipher | None) -> PropertySource:
    """A value that cannot be decrypted appears as `invalid.<key>`, not under its own key."""
    if not any(_is_encrypted(value.value) for value in source.properties.values()):
        return source
    return PropertySource(
        source.name,
        dict(_decrypt_entry(key, value, cipher) for key, value in source.properties.items()),
    )


def _decrypt_entry(
    key: str, encrypted: PropertyValue, cipher: Cipher | None
) -> tuple[str, PropertyValue]:
    if not _is_encrypted(encrypted.value):
        return key, encrypted
    try:
        if cipher is None:
            raise DecryptionFailed("there is no key")
        plain = cipher.decrypt(encrypted.value.removeprefix(PREFIX))
        return key, PropertyValue(plain, encrypted.origin, is_decrypted=True)
    except DecryptionFailed:
        return f"invalid.{key}", PropertyValue(INVALID, encrypted.origin)


def _is_encrypted(value: Any) -> bool:
    return isinstance(value, str) and value.startswith(PREFIX)

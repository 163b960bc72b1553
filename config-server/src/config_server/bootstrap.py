"""The config server's own configuration, read from its folder before the server runs.

Spring's `spring.cloud.config.server.bootstrap`.
"""

from collections.abc import Mapping
from typing import Any

from chassis.config.client import ConfigurationError
from chassis.config.properties import fill_placeholders
from chassis.core.environment import Environment
from config_server.cipher import DEFAULT_SALT, Cipher, decrypted
from config_server.files import render
from config_server.model import Backend, BackendUnavailable, ConfigQuery, UnreadableFile

SECRET = "encrypt-key"


def bootstrap_sources(home: Backend, environment: Environment) -> list[dict[str, Any]]:
    """Its property sources in the folder `home`, by the usual rules; raises ConfigurationError."""
    try:
        sources = home.find(ConfigQuery(environment.service, environment.profile)).sources
    except (UnreadableFile, BackendUnavailable) as error:
        raise ConfigurationError(str(error)) from error
    cipher = cipher_of(environment, render.merged(sources))
    own = [decrypted(source, cipher) for source in sources]
    return [
        {"name": source.name, "source": source.plain(), "encrypted": source.decrypted()}
        for source in own
    ]


def cipher_of(environment: Environment, own: Mapping[str, Any]) -> Cipher | None:
    """By the key in the secret file, the variable ENCRYPT_KEY, or `encrypt.key`, in this order."""
    key = _secret(environment) or environment.variables.get("ENCRYPT_KEY")
    key = key or fill_placeholders(str(own.get("encrypt.key", "")), environment.variables)
    try:
        return Cipher(key, str(own.get("encrypt.salt", DEFAULT_SALT))) if key else None
    except ValueError as error:
        raise ConfigurationError(f"encrypt.salt: {error}") from error


def _secret(environment: Environment) -> str | None:
    try:
        return environment.secret(SECRET)
    except FileNotFoundError:
        return None

"""The public keys of the shop's processes: one JWKS file (RFC 7517) that each of them is given.

Beside the members of a JWK each key says whose it is, `sub`, and whom that one may call, `aud`.
"""

import hashlib
import json
import logging
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jwt

log = logging.getLogger(__name__)

FILE = "service-keys.json"
REQUIRED_MEMBERS = ("crv", "kty", "x", "y")


def private_key_of(service: str) -> str:
    """The name of the secret file."""
    return f"{service}-key.pem"


def thumbprint(public: Mapping[str, Any]) -> str:
    """RFC 7638, of a key on an elliptic curve."""
    required = {name: public[name] for name in REQUIRED_MEMBERS}
    digest = hashlib.sha256(json.dumps(required, separators=(",", ":")).encode()).digest()
    return urlsafe_b64encode(digest).rstrip(b"=").decode()


@dataclass(frozen=True)
class ServiceKey:
    service: str
    calls: frozenset[str]
    key: jwt.PyJWK


@dataclass(frozen=True)
class ServiceKeySet:
    """`services` are the names that belong to the shop, whoever may call whom."""

    by_id: Mapping[str, ServiceKey] = field(default_factory=dict)
    services: frozenset[str] = frozenset()


class ServiceKeys:
    """Those in the file, read again when it has changed: a service may have come."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._stamp: tuple[int, ...] = ()
        self._key_set = ServiceKeySet()

    def current(self) -> ServiceKeySet:
        """To look whether it has changed costs microseconds.  With no file there are none."""
        try:
            status = self._file.stat()
            stamp = (status.st_mtime_ns, status.st_ino, status.st_size)
            if stamp != self._stamp:
                self._key_set = _parsed(json.loads(self._file.read_text()))
                self._stamp = stamp
        except (OSError, ValueError, TypeError, KeyError, jwt.PyJWTError) as error:
            log.error("the keys of the shop's services cannot be read: %s", error)
        return self._key_set


def _parsed(document: dict[str, Any]) -> ServiceKeySet:
    keys = {
        entry["kid"]: ServiceKey(entry["sub"], frozenset(entry["aud"]), jwt.PyJWK.from_dict(entry))
        for entry in document["keys"]
    }
    return ServiceKeySet(keys, frozenset(key.service for key in keys.values()))

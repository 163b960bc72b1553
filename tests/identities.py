"""Identities for tests: keys of services, made as `make up` makes them, and guests' passwords."""

import base64
import json
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

from chassis.core.environment import Environment
from chassis.identity.access import PlatformAccess
from chassis.identity.assertions import AssertionVerifier, OwnIdentity, ServiceIdentity
from chassis.identity.guests import GUEST, GuestPassword
from chassis.identity.keys import FILE, ServiceKeys
from fusebox.core import secrets
from fusebox.core.stack import Stack
from fusebox.core.topology import guest_password

PASSWORD = "the-guests-own-password"
NO_IDENTITY = OwnIdentity(Environment.read("nobody", {"FUSEBOX_SECRETS": "/nowhere"}))


@cache
def private_key(service: str) -> str:
    return secrets.new(secrets.SIGNING_KEY).decode()


def identity(service: str) -> ServiceIdentity:
    return ServiceIdentity(service, private_key(service))


def jwks(calls: Mapping[str, Sequence[str]]) -> str:
    """Of these services, each with those that it may call."""
    keys = [
        {**secrets.public_key(private_key(name)), "alg": "ES256", "sub": name, "aud": list(called)}
        for name, called in calls.items()
    ]
    return json.dumps({"keys": keys})


def platform_access(
    realm: str, folder: Path, services: Sequence[str] = (), password: str | None = PASSWORD
) -> PlatformAccess:
    """To a server of the platform that these services may call, and the guest."""
    (folder / FILE).write_text(jwks({name: [realm] for name in services}))
    assertions = AssertionVerifier(realm, ServiceKeys(folder / FILE))
    return PlatformAccess(realm, assertions, GuestPassword(realm, password))


def made_secrets(folder: Path) -> Path:
    """All that `make up` makes, with PASSWORD for guests; the folder of the files."""
    stack = Stack(home=folder, clone=folder)
    stack.make_folders()
    secrets.make_missing(stack)
    for server in ("discovery", "config-server"):
        (stack.secrets / guest_password(server)).write_text(PASSWORD)
    return stack.secrets


def basic(name: str = GUEST, password: str = PASSWORD) -> dict[str, str]:
    return {"Authorization": f"Basic {base64.b64encode(f'{name}:{password}'.encode()).decode()}"}

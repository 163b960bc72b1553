"""Identities for tests: keys of services, made as `make up` makes them, and guests' passwords."""

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from chassis.core.environment import Environment
from chassis.identity.access import PlatformAccess
from chassis.identity.assertions import AssertionVerifier, OwnIdentity, ServiceIdentity
from chassis.identity.guests import GUEST, GuestPassword
from chassis.identity.keys import FILE, ServiceKeys
from chassis.runtime.service import Process
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


class GatewayClient(FlaskClient):
    """A client of a service that shows with each call that it is the gateway."""

    def __init__(self, *arguments: Any, process: Process[Any], **given: Any) -> None:
        super().__init__(*arguments, **given)
        self._service = process.environment.service
        self._identity = OwnIdentity(replace(process.environment, service="gateway"))

    def open(self, *arguments: Any, **given: Any) -> TestResponse:
        for name, value in self._identity.headers(self._service).items():
            self.environ_base[f"HTTP_{name.upper().replace('-', '_')}"] = value
        return super().open(*arguments, **given)


def as_gateway(app: Flask, process: Process[Any]) -> FlaskClient:
    app.test_client_class = GatewayClient
    return app.test_client(process=process)


def basic(name: str = GUEST, password: str = PASSWORD) -> dict[str, str]:
    return {"Authorization": f"Basic {base64.b64encode(f'{name}:{password}'.encode()).decode()}"}

"""The application: the chassis with accounts and login mounted on it."""

from typing import Any

from flask import Flask

from chassis.data import postgres
from chassis.runtime import flask as flask_adapter
from chassis.runtime.service import Process
from chassis.web.auth import TokenVerifier
from user_service import api
from user_service.service import Accounts
from user_service.signing import Signer


def create_app(process: Process[Any], accounts: Accounts, signer: Signer) -> Flask:
    app = flask_adapter.create_app(__package__, process, outages=postgres.OUTAGES)
    # The keys are our own: tokens are checked as everywhere, and nobody has to be asked.
    tokens = TokenVerifier(signer.jwks)
    tokens.refresh()
    app.register_blueprint(api.users(accounts, tokens))
    app.register_blueprint(api.login(accounts, signer))
    return app

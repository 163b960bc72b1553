"""The application: the chassis with the catalog mounted on it."""

from typing import Any

from flask import Flask

from catalog_service import api
from catalog_service.service import Catalog
from chassis.data import postgres
from chassis.runtime import flask as flask_adapter
from chassis.runtime.service import Process
from chassis.web.auth import TokenVerifier


def create_app(process: Process[Any], catalog: Catalog, tokens: TokenVerifier) -> Flask:
    app = flask_adapter.create_app(__package__, process, outages=postgres.OUTAGES)
    app.register_blueprint(api.blueprint(catalog, tokens))
    return app

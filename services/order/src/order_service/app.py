"""The application: the chassis with the orders mounted on it."""

from typing import Any

from flask import Flask

from chassis.data import postgres
from chassis.runtime import flask as flask_adapter
from chassis.runtime.service import Process
from chassis.web.auth import TokenVerifier
from order_service import api
from order_service.idempotency import Keys
from order_service.service import Orders
from order_service.waiting import Waiting


def create_app(
    process: Process[Any], orders: Orders, keys: Keys, waiting: Waiting, tokens: TokenVerifier
) -> Flask:
    app = flask_adapter.create_app(__package__, process, outages=postgres.OUTAGES)
    app.register_blueprint(api.blueprint(orders, keys, waiting, tokens))
    return app

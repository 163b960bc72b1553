"""catalog-service as it runs: `python -m catalog_service.main`."""

from typing import Any

from flask import Flask
from sqlalchemy import Engine
from sqlalchemy.orm import sessionmaker

from catalog_service import handlers
from catalog_service.app import create_app
from catalog_service.events import READ
from catalog_service.service import Catalog
from catalog_service.tables import inbox, outbox
from chassis.config.settings import Settings
from chassis.data import postgres
from chassis.runtime import gunicorn, messaging
from chassis.runtime.service import Process, begin
from chassis.web.auth import TokenVerifier

SERVICE = "catalog-service"


def build() -> tuple[Process[Any], Flask]:
    process = begin(SERVICE, Settings)
    engine = postgres.engine_of(process.settings.spring.datasource, process.environment)
    return process, wire(process, engine, process.tokens())


def wire(process: Process[Any], engine: Engine, tokens: TokenVerifier) -> Flask:
    process.actuator.health.add("db", postgres.health(engine), readiness=True)
    sessions = sessionmaker(engine, expire_on_commit=False)
    messaging.publish(process, engine, outbox)
    messaging.consume(process, sessions, inbox, ["orders"], READ, handlers.handle)
    return create_app(process, Catalog(sessions), tokens)


if __name__ == "__main__":
    gunicorn.serve(SERVICE, build)

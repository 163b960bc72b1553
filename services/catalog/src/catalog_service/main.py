"""catalog-service as it runs: `python -m catalog_service.main`."""

from typing import Any

from flask import Flask
from sqlalchemy import Engine
from sqlalchemy.orm import sessionmaker

from catalog_service import api
from catalog_service.messaging import EVENT_TYPES, TOPICS, handle
from catalog_service.models import inbox, outbox
from catalog_service.service import Catalog
from chassis.config.settings import Settings
from chassis.data import postgres
from chassis.data.outages import is_outage
from chassis.data.transaction_spans import TransactionSpans
from chassis.runtime import gunicorn
from chassis.runtime.auditing import by_outbox, refusals
from chassis.runtime.flask import create_app
from chassis.runtime.housekeeping import of_inbox, sweep
from chassis.runtime.messaging import consume, publish
from chassis.runtime.service import Process, begin
from chassis.web.auth import TokenVerifier

SERVICE = "catalog-service"


def build() -> tuple[Process[Any], Flask]:
    process = begin(SERVICE, Settings)
    engine = postgres.engine_of(process.settings.spring.datasource, process.environment)
    return process, wire(process, engine, process.tokens())


def wire(process: Process[Any], engine: Engine, tokens: TokenVerifier) -> Flask:
    TransactionSpans(process.tracer).listen(engine)
    process.actuator.health.add("db", postgres.health(engine), readiness=True)
    sessions = sessionmaker(engine, expire_on_commit=False)
    publish(process, engine, sessions, outbox)
    consume(process, sessions, inbox, TOPICS, EVENT_TYPES, handle)
    sweep(process, sessions, of_inbox(process, inbox))
    refused = refusals(process, by_outbox(sessions, outbox))
    app = create_app(__package__, process, is_outage=is_outage, refusals=refused)
    catalog = Catalog(engine, sessions, process.tracer)
    app.register_blueprint(api.blueprint(catalog, tokens, process.user_store()))
    return app


if __name__ == "__main__":
    gunicorn.serve(SERVICE, build)

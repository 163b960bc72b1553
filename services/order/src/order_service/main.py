"""order-service as it runs: `python -m order_service.main`."""

from typing import Any

from flask import Flask
from sqlalchemy import Engine
from sqlalchemy.orm import sessionmaker

from chassis.config.settings import Settings
from chassis.data import postgres
from chassis.runtime import gunicorn, messaging
from chassis.runtime.service import Process, begin
from chassis.web.auth import TokenVerifier
from order_service.app import create_app
from order_service.clients import CatalogClient
from order_service.events import READ
from order_service.handlers import handler
from order_service.idempotency import Keys
from order_service.service import Orders
from order_service.tables import inbox, outbox
from order_service.waiting import Waiting

SERVICE = "order-service"


def build() -> tuple[Process[Any], Flask]:
    process = begin(SERVICE, Settings)
    engine = postgres.engine_of(process.settings.spring.datasource, process.environment)
    return process, wire(process, engine, process.tokens())


def wire(process: Process[Any], engine: Engine, tokens: TokenVerifier) -> Flask:
    process.actuator.health.add("db", postgres.health(engine), readiness=True)
    sessions = sessionmaker(engine, expire_on_commit=False)
    waiting = Waiting(sessions, places=process.settings.fusebox.threads // 2)
    process.workers.add("waiting", waiting.run)
    messaging.publish(process, engine, outbox)
    messaging.consume(
        process,
        sessions,
        inbox,
        ["catalog", "products", "users"],
        READ,
        handler(decided=waiting.ring),
    )
    orders = Orders(sessions, CatalogClient(process.service_client("catalog-service")))
    return create_app(process, orders, Keys(sessions), waiting, tokens)


if __name__ == "__main__":
    gunicorn.serve(SERVICE, build)

"""user-service as it runs: `python -m user_service.main`."""

from flask import Flask
from sqlalchemy import Engine
from sqlalchemy.orm import sessionmaker

from chassis.data import postgres
from chassis.runtime import gunicorn, messaging
from chassis.runtime.service import Process, begin
from user_service.app import create_app
from user_service.clients import ORDER_SERVICE, Orders
from user_service.passwords import Passwords
from user_service.service import Accounts
from user_service.settings import UserSettings
from user_service.signing import Signer
from user_service.tables import outbox

SERVICE = "user-service"


def build() -> tuple[Process[UserSettings], Flask]:
    process = begin(SERVICE, UserSettings)
    engine = postgres.engine_of(
        process.settings.spring.datasource,
        process.environment,
    )
    return process, wire(process, engine)


def wire(process: Process[UserSettings], engine: Engine) -> Flask:
    process.actuator.health.add("db", postgres.health(engine), readiness=True)
    messaging.publish(process, engine, outbox)
    signer = Signer(
        process.environment.secret("token-signing-key.pem"),
        lambda: process.settings.fusebox.tokens.lifetime_seconds,
    )
    orders = Orders(process.service_client(ORDER_SERVICE))
    sessions = sessionmaker(engine, expire_on_commit=False)
    return create_app(process, Accounts(sessions, Passwords(), orders), signer)


if __name__ == "__main__":
    gunicorn.serve(SERVICE, build)

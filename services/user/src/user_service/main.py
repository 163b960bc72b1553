"""user-service as it runs: `python -m user_service.main`."""

from datetime import timedelta

from flask import Flask
from sqlalchemy import Engine
from sqlalchemy.orm import sessionmaker

from chassis.actuator.endpoints import up
from chassis.core.live import Live
from chassis.data import postgres
from chassis.data.housekeeping import TimeToLive
from chassis.data.outages import is_outage
from chassis.data.transaction_spans import TransactionSpans
from chassis.runtime import gunicorn
from chassis.runtime.auditing import refusals
from chassis.runtime.flask import create_app
from chassis.runtime.housekeeping import of_inbox, sweep
from chassis.runtime.messaging import consume, publish
from chassis.runtime.service import Process, begin
from chassis.web.auth import TokenVerifier
from user_service import api
from user_service.audit import api as audit
from user_service.audit import reports
from user_service.audit.trail import AuditTrail
from user_service.clients import ORDER_SERVICE, OrderClient
from user_service.hashing_queue import HashingQueue
from user_service.messaging import EVENT_TYPES, TOPICS, handler
from user_service.models import LoginSession, User, inbox, outbox
from user_service.passwords import Passwords
from user_service.rights.revocations import RevocationList, add_endpoint
from user_service.rights.roles import Roles
from user_service.service import Accounts
from user_service.sessions import LoginSessions
from user_service.settings import UserSettings
from user_service.signing import Signer, SigningKeys

SERVICE = "user-service"


def build() -> tuple[Process[UserSettings], Flask]:
    process = begin(SERVICE, UserSettings)
    engine = postgres.engine_of(
        process.settings.spring.datasource,
        process.environment,
    )
    return process, wire(process, engine)


def wire(process: Process[UserSettings], engine: Engine) -> Flask:
    TransactionSpans(process.tracer).listen(engine)
    process.actuator.health.add("db", postgres.health(engine), readiness=True)
    sessions = sessionmaker(engine, expire_on_commit=False)
    publish(process, engine, sessions, outbox)
    lifetime = process.live.map(lambda settings: settings.fusebox.tokens.lifetime_seconds)
    revocations = RevocationList(sessions, lifetime)
    add_endpoint(process.actuator, revocations)
    sweep(
        process,
        sessions,
        of_inbox(process, inbox),
        _of_deleted(process),
        _of_expired(),
        revocations.time_to_live(),
        AuditTrail.time_to_live(),
    )
    signer = Signer(SigningKeys(process.environment.secrets), lifetime)
    trail = AuditTrail(
        sessions, process.live.map(lambda settings: settings.fusebox.audit.keep_days)
    )
    reports.add_endpoint(process.actuator, sessions, trail.append)
    refused = refusals(process, trail.write)
    consume(process, sessions, inbox, TOPICS, EVENT_TYPES, handler(trail.append))
    logins = LoginSessions(
        sessions, process.live.map(lambda settings: settings.fusebox.tokens), trail
    )
    orders = OrderClient(process.service_client(ORDER_SERVICE))
    queue = HashingQueue(process.live.map(lambda settings: settings.fusebox.passwords.max_waiting))
    process.metrics.add(queue.metrics)
    accounts = Accounts(sessions, logins, Passwords(queue), orders, trail, refused)
    # The keys are our own: tokens are checked as everywhere, and nobody has to be asked.
    tokens = TokenVerifier(signer.jwks)
    tokens.refresh()
    process.workers.add("tokens", tokens.keep_keys)
    process.actuator.health.add("tokens", lambda: up(keys=tokens.keys, ids=tokens.key_ids))
    app = create_app(__package__, process, is_outage=is_outage, refusals=refused)
    app.register_blueprint(api.users(accounts, tokens))
    app.register_blueprint(api.roles(Roles(sessions, trail), tokens))
    app.register_blueprint(api.login(accounts, logins, signer, tokens))
    app.register_blueprint(audit.blueprint(trail, tokens))
    return app


def _of_deleted(process: Process[UserSettings]) -> TimeToLive:
    return TimeToLive(
        User.deleted_at,
        process.live.map(lambda settings: timedelta(days=settings.fusebox.deleted_users.keep_days)),
    )


def _of_expired() -> TimeToLive:
    return TimeToLive(LoginSession.expires_at, Live(timedelta()))


if __name__ == "__main__":
    gunicorn.serve(SERVICE, build)

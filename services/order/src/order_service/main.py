"""order-service as it runs: `python -m order_service.main`."""

from datetime import timedelta
from typing import Any

from flask import Flask
from sqlalchemy import Engine
from sqlalchemy.orm import sessionmaker

from chassis.data import postgres
from chassis.data.housekeeping import TimeToLive
from chassis.data.outages import is_outage
from chassis.data.transaction_spans import TransactionSpans
from chassis.runtime import gunicorn
from chassis.runtime.auditing import by_outbox, refusals
from chassis.runtime.flask import create_app
from chassis.runtime.housekeeping import of_inbox, sweep
from chassis.runtime.messaging import consume, publish
from chassis.runtime.service import Process, begin
from chassis.web.auth import TokenVerifier
from order_service import api
from order_service.clients import CatalogClient
from order_service.closed_accounts import ClosedAccounts
from order_service.idempotency import IdempotencyKeys
from order_service.long_poll import LongPoll
from order_service.messaging import EVENT_TYPES, TOPICS, handler
from order_service.models import ClosedAccount, IdempotencyKey, inbox, outbox
from order_service.service import Orders
from order_service.settings import OrderSettings

SERVICE = "order-service"
# An order whose decision nobody waits for is published so much after the ones before it, and is
# then one of many for all who read it.
UNAWAITED_SECONDS = 0.1


def build() -> tuple[Process[Any], Flask]:
    process = begin(SERVICE, OrderSettings)
    engine = postgres.engine_of(process.settings.spring.datasource, process.environment)
    return process, wire(process, engine, process.tokens())


def wire(process: Process[OrderSettings], engine: Engine, tokens: TokenVerifier) -> Flask:
    TransactionSpans(process.tracer).listen(engine)
    process.actuator.health.add("db", postgres.health(engine), readiness=True)
    sessions = sessionmaker(engine, expire_on_commit=False)
    long_poll = LongPoll(sessions, slots=process.settings.fusebox.threads // 2)
    process.workers.add("long-poll", long_poll.run)
    keys = IdempotencyKeys(sessions, process.tracer)
    closed_accounts = ClosedAccounts(sessions, long_poll.decided)
    process.workers.add("closed-accounts", closed_accounts.run)
    sweep(process, sessions, of_inbox(process, inbox), _of_keys(process), _of_closed(process))
    publish(process, engine, sessions, outbox, gather=UNAWAITED_SECONDS)
    handle = handler(decided=long_poll.decided, closed=closed_accounts.notify)
    consume(process, sessions, inbox, TOPICS, EVENT_TYPES, handle)
    catalog = CatalogClient(process.service_client("catalog-service"))
    refused = refusals(process, by_outbox(sessions, outbox))
    app = create_app(__package__, process, is_outage=is_outage, refusals=refused)
    orders = Orders(engine, sessions, catalog.products, process.tracer)
    app.register_blueprint(api.blueprint(orders, keys, long_poll, tokens, process.user_store()))
    return app


def _of_keys(process: Process[OrderSettings]) -> TimeToLive:
    return TimeToLive(
        IdempotencyKey.claimed_at,
        process.live.map(lambda settings: timedelta(hours=settings.fusebox.idempotency.keep_hours)),
    )


def _of_closed(process: Process[OrderSettings]) -> TimeToLive:
    """Not before its orders have been looked for, whatever the configuration says."""

    def keep(settings: OrderSettings) -> timedelta:
        configured = timedelta(days=settings.fusebox.closed_accounts.keep_days)
        return max(configured, timedelta(hours=1))

    return TimeToLive(ClosedAccount.closed_at, process.live.map(keep))


if __name__ == "__main__":
    gunicorn.serve(SERVICE, build)

"""What a flood of logins does to everybody else, with its rate limit and without."""

import json
import uuid
from concurrent.futures import ThreadPoolExecutor

from bench.harness.figures import LoadResult, percentile
from bench.harness.load_generator import LoadPlan, RepeatedCall
from bench.harness.report import milliseconds, table
from bench.harness.stack_under_test import MORE_THAN_THERE_ARE, RunningStack
from bench.shop_requests import CATALOGS, measured_load
from fusebox.runtime.shop_client import FRESH, PASSWORD

CONNECTIONS = 32
SECONDS = 15.0
OTHERS_A_SECOND = 50
COUNT = 1_000_000
LOGIN = "fusebox.gateway.rate-limits.login"
HEADER = ("", "logins/s", "refused/s", "others p50", "others p99", "times its quiet p99")


def section(running: RunningStack) -> list[str]:
    login = _login(running)
    # The burst is over when it is measured.
    measured_load(LoadPlan([login] * CONNECTIONS, 200, COUNT, SECONDS))
    quiet = _others(running)
    limited = _during(running, login)
    running.verb("set", "--service", "gateway", f"{LOGIN}.replenish-rate", str(MORE_THAN_THERE_ARE))
    unlimited = _during(running, login)
    running.verb("set", "--service", "gateway", f"{LOGIN}.replenish-rate")
    rows = [
        _row("nobody logs in", None, quiet, quiet),
        _row("a flood, at the rate that is shipped", *limited, quiet),
        _row("a flood without a rate limit", *unlimited, quiet),
    ]
    return [
        "## A flood of logins",
        "",
        f"{CONNECTIONS} connections log in with a good password as fast as they are answered. The"
        f" others look at the catalog, {OTHERS_A_SECOND} times a second; without a rate limit the"
        " queue before the password check refuses (`fusebox.passwords.max-waiting`).",
        "",
        *table(HEADER, rows),
    ]


def _login(running: RunningStack) -> RepeatedCall:
    email = f"{uuid.uuid4().hex}@fusebox.example"
    running.shop.customer(email)
    body = json.dumps({"email": email, "password": PASSWORD})
    headers = {"Content-Type": "application/json"}
    return RepeatedCall("POST", f"{running.shop.gateway}/user-service/login", headers, body)


def _others(running: RunningStack) -> LoadResult:
    call = RepeatedCall("GET", running.shop.gateway + CATALOGS, FRESH)
    return measured_load(LoadPlan([call] * 8, 200, COUNT, SECONDS, OTHERS_A_SECOND))


def _during(running: RunningStack, login: RepeatedCall) -> tuple[LoadResult, LoadResult]:
    with ThreadPoolExecutor(1) as pool:
        flood = pool.submit(measured_load, LoadPlan([login] * CONNECTIONS, 200, COUNT, SECONDS))
        others = _others(running)
        return flood.result(), others


def _row(
    name: str, flood: LoadResult | None, others: LoadResult, quiet: LoadResult
) -> tuple[str, ...]:
    p50, p99 = percentile(others.latencies, 50), percentile(others.latencies, 99)
    times = p99 / percentile(quiet.latencies, 99)
    logins = f"{flood.rate:.0f}" if flood else ""
    refused = f"{flood.failures / flood.took:.0f}" if flood else ""
    return name, logins, refused, milliseconds(p50), milliseconds(p99), f"{times:.1f}"

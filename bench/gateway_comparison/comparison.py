"""The gateway beside nginx and beside a plain one on Flask, before the same upstream.

`python -m bench.gateway_comparison.comparison` measures and prints; `section` is for the larger
page.
"""

import statistics
from collections.abc import Mapping, Sequence
from contextlib import ExitStack

from bench.gateway_comparison import forwarding_overhead, proxies, raw_load_generator
from bench.gateway_comparison.proxies import TokenIssuer
from bench.gateway_comparison.raw_load_generator import RawLoad
from bench.harness.report import table
from bench.harness.single_process import SingleProcess

CONNECTIONS = 32
ROUNDS = 3
OURS, NGINX, FLASK = "gateway", "nginx", "Flask, pooled requests, gunicorn gthread"
COUNTS = {OURS: 6_000, NGINX: 12_000, FLASK: 1_500}
WARM_UP = 500
PATH = "/catalog-service/catalogs"
LEFT_OUT = "nginx was left out: there is no program of that name here."
HOW = f"""\
One upstream that costs hardly anything, {CONNECTIONS} connections, by turns, {ROUNDS} rounds: CPU
with all children. The gateway has everything on: routes, a token checked, rate limits, a blocking
rule, breaker and bulkhead, a deadline, metrics, a trace that is not sampled. nginx passes on and
writes its access log; the one on Flask does nothing but pass on. What else the machine does
hits all of them, so that only the ratios, taken within each round, mean something elsewhere."""


def section() -> list[str]:
    issuer = TokenIssuer.new()
    with ExitStack() as stack:
        upstream = stack.enter_context(proxies.upstream(issuer.keys()))
        candidates = {
            OURS: stack.enter_context(proxies.gateway(upstream)),
            NGINX: stack.enter_context(proxies.nginx(upstream)),
            FLASK: stack.enter_context(proxies.flask(upstream)),
        }
        gateways = {name: process for name, process in candidates.items() if process is not None}
        request_text = request(issuer.token("somebody"))
        memory = forwarding_overhead.memory(gateways[OURS], request_text)
        costs = cpu_by_turns(gateways, request_text)
        return [
            "## The gateway",
            "",
            *HOW.splitlines(),
            "",
            *_compared(costs),
            *([] if NGINX in gateways else ["", LEFT_OUT]),
            "",
            *forwarding_overhead.latency(gateways[OURS], upstream, request_text),
            "",
            *memory,
        ]


def request(token: str, path: str = PATH) -> str:
    """As a client of the library requests sends it."""
    return (
        f"GET {path} HTTP/1.1\r\nHost: shop.example\r\nUser-Agent: python-requests/2.32\r\n"
        "Accept-Encoding: gzip, deflate\r\nAccept: */*\r\nConnection: keep-alive\r\n"
        f"Authorization: Bearer {token}\r\n\r\n"
    )


def cpu_by_turns(
    gateways: Mapping[str, SingleProcess], request_text: str
) -> dict[str, list[float]]:
    """CPU seconds of a request, round by round."""
    for process in gateways.values():
        raw_load_generator.measure(RawLoad(process.port, request_text, WARM_UP, CONNECTIONS))
    costs: dict[str, list[float]] = {name: [] for name in gateways}
    for _ in range(ROUNDS):
        for name, process in gateways.items():
            before = process.cpu()
            raw_load_generator.measure(
                RawLoad(process.port, request_text, COUNTS[name], CONNECTIONS)
            )
            costs[name].append((process.cpu() - before) / COUNTS[name])
    return costs


def _compared(costs: Mapping[str, Sequence[float]]) -> list[str]:
    rows = [
        (
            name,
            f"{statistics.median(seconds) * 1e6:.0f} µs",
            f"{min(seconds) * 1e6:.0f}–{max(seconds) * 1e6:.0f} µs",
            f"{_ratio(seconds, costs[OURS]):.2g}",
            f"{_ratio(seconds, costs[NGINX]):.1f}" if NGINX in costs else "",
        )
        for name, seconds in costs.items()
    ]
    return table(("", "CPU/request", "rounds", "times the gateway's", "N"), rows)


def _ratio(costs: Sequence[float], others: Sequence[float]) -> float:
    """Within each round, for what else the machine does hits both alike."""
    return statistics.median(cost / other for cost, other in zip(costs, others, strict=True))


if __name__ == "__main__":
    print("\n".join(section()))

"""States of a shop as the panel sends them: healthy, and with catalog-service killed."""

from datetime import UTC, datetime, timedelta
from typing import Any

Snapshot = dict[str, Any]
NOW = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)
SERVICES = ("user-service", "order-service", "catalog-service")
CALLS = {
    ("client", "gateway"): (12.3, 0.034),
    ("gateway", "user-service"): (1.4, 0.022),
    ("gateway", "order-service"): (8.1, 0.034),
    ("gateway", "catalog-service"): (2.8, 0.008),
    ("user-service", "order-service"): (0.6, 0.012),
    ("order-service", "catalog-service"): (8.0, 0.009),
    # For the keys of tokens, once in a while.
    ("order-service", "user-service"): (0.0, None),
    ("catalog-service", "user-service"): (0.0, None),
}
# Topic, who publishes, who reads.
TOPICS = (
    ("users", "user-service", "order-service"),
    ("orders", "order-service", "catalog-service"),
    ("catalog", "catalog-service", "order-service"),
    ("products", "catalog-service", "order-service"),
)
INVARIANTS = (
    "initial + added stock = stock + reserved quantities",
    "no stock below zero",
    "every order decided, or its event on the way",
    "outboxes empty at rest",
    "catalog's reservations agree with the orders",
)


def ago(seconds: float) -> str:
    return (NOW - timedelta(seconds=seconds)).isoformat()


def part(name: str, kind: str, instances: int = 1, **more: Any) -> Snapshot:
    names = [f"{name}-{number + 1}" for number in range(instances)] if kind == "service" else [name]
    return {
        "name": name,
        "kind": kind,
        "state": "up",
        "reason": None,
        "traffic": None,
        "instances": [
            {
                "id": instance,
                "address": f"127.0.0.1:{41000 + number}",
                "state": "up",
                "version": None,
                "canary": False,
                "reason": None,
            }
            for number, instance in enumerate(names)
        ],
        "outbox": {"rows": 0, "oldest": 0.0} if kind == "service" else None,
        "consumers": [],
        "topics": [],
        "addresses": [],
        **more,
    }


def breaker(owner: str, name: str, **more: Any) -> Snapshot:
    return {
        "owner": owner,
        "name": name,
        "state": "CLOSED",
        "failures": 0,
        "failMax": 5,
        "calls": 12,
        "failureRate": None,
        "threshold": 25.0,
        "minimumCalls": 20,
        "nextTrialIn": None,
        "lastFailure": None,
        **more,
    }


def order(number: int, **more: Any) -> Snapshot:
    return {
        "orderId": f"019ac000-7a2b-7c00-8000-{number:012}",
        "status": "CONFIRMED",
        "placedAt": ago(number + 0.2),
        "decidedAt": ago(number),
        "degraded": False,
        "lines": [{"productId": "CATALOG-0001", "productName": "Berlin", "qty": 1 + number % 3}],
        "total": 1500 * (1 + number % 3),
        "traceUrl": "http://127.0.0.1:9411/zipkin/traces/6b0a70015776a43b18bc6cda86f44164",
        **more,
    }


def arrows() -> list[Snapshot]:
    calls = [
        {
            "from": caller,
            "to": called,
            "kind": "http",
            "topic": None,
            "rate": rate,
            "errors": 0.0,
            "p99": p99,
        }
        for (caller, called), (rate, p99) in CALLS.items()
    ]
    events = [
        {
            "from": start,
            "to": end,
            "kind": "kafka",
            "topic": topic,
            "rate": 4.2,
            "errors": 0.0,
            "p99": None,
        }
        for topic, publisher, reader in TOPICS
        for start, end in ((publisher, "kafka"), ("kafka", reader))
    ]
    return calls + events


def kafka() -> Snapshot:
    topics = [{"name": topic, "rate": 4.2, "dead": 0} for topic, _, _ in TOPICS]
    return part("kafka", "kafka", topics=topics)


def service(name: str, instances: int = 1) -> Snapshot:
    consumers = [
        {"topic": topic, "group": name, "lag": 0} for topic, _, reader in TOPICS if reader == name
    ]
    return part(name, "service", instances, consumers=consumers)


def healthy() -> Snapshot:
    return {
        "at": ago(0),
        "age": {"registry": 0.4, "metrics": 1.0},
        "parts": [
            part("gateway", "gateway"),
            service("user-service"),
            service("order-service", instances=2),
            service("catalog-service"),
            part("discovery", "discovery"),
            part("config-server", "config-server"),
            kafka(),
            part("postgres", "postgres"),
            part("zipkin", "zipkin"),
            part("panel", "panel"),
        ],
        "arrows": arrows(),
        "breakers": [
            *(breaker("gateway", service) for service in SERVICES),
            breaker("user-service-1", "order-service"),
            breaker("order-service-1", "catalog-service"),
            breaker("order-service-2", "catalog-service"),
            breaker("order-service-1", "user-service"),
            breaker("catalog-service-1", "user-service"),
        ],
        "faults": [],
        "orders": [order(number) for number in range(20)],
        "history": [
            {
                "at": ago(60),
                "kind": "configuration-changed",
                "subject": "order-service",
                "text": "fusebox.breaker.fail-max: 5 → 3",
            }
        ],
        "invariants": [
            {"name": name, "holds": True, "figures": "products: 3", "at": ago(1)}
            for name in INVARIANTS
        ],
        "lesson": {"running": False, "step": 0, "steps": 8, "title": None, "lines": []},
        "jobs": [],
    }


def part_of(snapshot: Snapshot, name: str) -> Snapshot:
    found: Snapshot = next(part for part in snapshot["parts"] if part["name"] == name)
    return found


def without_catalog() -> Snapshot:
    """catalog-service is killed: fuses blown and on trial, orders waiting, events held up."""
    snapshot = healthy()
    killed = part_of(snapshot, "catalog-service")
    killed.update(state="down", reason="no instance is registered")
    killed["instances"][0].update(state="down", reason="killed")
    killed["consumers"][0]["lag"] = 37
    refused = "connection refused by 127.0.0.1:41000"
    for fuse in snapshot["breakers"]:
        if fuse["owner"].startswith("order-service") and fuse["name"] == "catalog-service":
            fuse.update(state="OPEN", failures=5, nextTrialIn=7.3, lastFailure=refused)
        if fuse["owner"] == "user-service-1":
            fuse.update(state="HALF_OPEN", failures=5, lastFailure="no answer within 2 s")
        if fuse["owner"] == "gateway" and fuse["name"] == "catalog-service":
            fuse.update(failures=3)
    snapshot["faults"] = [
        {
            "service": "catalog-service",
            "kind": "kill",
            "text": "killed, and it stays dead",
            "since": ago(9),
            "command": "make kill SERVICE=catalog-service",
        }
    ]
    for waiting in snapshot["orders"][:4]:
        waiting.update(status="PENDING", decidedAt=None, degraded=True)
    snapshot["history"].insert(
        0,
        {
            "at": ago(8),
            "kind": "breaker-opened",
            "subject": "order-service-1 → catalog-service",
            "text": refused,
        },
    )
    return snapshot

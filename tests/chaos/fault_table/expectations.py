"""The promises: what a client sees of every call while a part is killed, paused or slow.

What is not written here is as usual, and at once.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from .client_calls import USUAL

# More than one service waits for another, and less than the gateway waits for a service.
LATE = 2200
# PostgreSQL, Kafka and Zipkin stand still for so long again and again.
HALTED = 300
# After a repair everything is as usual within so many seconds, and every accepted order decided.
REPAIRED_SECONDS = 15


@dataclass(frozen=True)
class Speed:
    """`seconds` bound the fastest of several who ask at the same time."""

    words: str
    seconds: float


AT_ONCE = Speed("at once", 1)
WITHIN_3 = Speed("within 3 s", 3)
WITHIN_5 = Speed("within 5 s", 5)
WITHIN_11 = Speed("within 11 s", 11)
NEVER = Speed("until the client gives up", float("inf"))


@dataclass(frozen=True)
class Cell:
    """Every answer is one of `outcomes`."""

    outcomes: tuple[str, ...]
    speed: Speed


@dataclass(frozen=True)
class Promise:
    """What is seen at the first contact, and from then on."""

    first: Cell
    then: Cell


@dataclass(frozen=True)
class FaultExpectation:
    """`differs` has the calls that are not as usual; `repair` says what heals, and when."""

    part: str
    state: str
    differs: dict[str, Promise] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return f"{self.part} {self.state}"

    def promise(self, call: str) -> Promise:
        usual = Cell((USUAL[call],), AT_ONCE)
        return self.differs.get(call, Promise(usual, usual))


def always(speed: Speed, *outcomes: str) -> Promise:
    cell = Cell(outcomes, speed)
    return Promise(cell, cell)


def late(call: str) -> Promise:
    return always(WITHIN_3, USUAL[call])


def at_first(speed: Speed, *outcomes: str, then: str) -> Promise:
    """Until the breaker opens; `then` is the answer without asking."""
    return Promise(Cell(outcomes, speed), Cell((then,), AT_ONCE))


AWAY, OPEN, TOO_SLOW = "503 service-unavailable", "503 circuit-open", "504 upstream-timeout"
PAGE_WITHOUT_ORDERS = "200 degraded: order-service"
ACCEPTED_WITH_LAST_KNOWN_PRICES = "201 degraded: catalog-service"

DEAD = at_first(AT_ONCE, AWAY, OPEN, then=OPEN)
# It takes connections, unless the machine is so busy that not even that happens in time.
SILENT = at_first(WITHIN_11, TOO_SLOW, AWAY, then=OPEN)

OF_USERS = ("register", "log in", "own page")
OF_ORDERS = ("place an order", "orders", "one order", "cancel")
OF_CATALOG = ("products", "one product")
ALL = tuple(USUAL)


def for_calls(calls: tuple[str, ...], promise: Promise) -> dict[str, Promise]:
    return dict.fromkeys(calls, promise)


def all_late(calls: tuple[str, ...]) -> dict[str, Promise]:
    return {call: late(call) for call in calls}


USER = (
    FaultExpectation("user-service", "killed", for_calls(OF_USERS, DEAD)),
    FaultExpectation("user-service", "paused", for_calls(OF_USERS, SILENT)),
    FaultExpectation("user-service", "slow", all_late(OF_USERS)),
)
ORDER = (
    FaultExpectation(
        "order-service",
        "killed",
        {**for_calls(OF_ORDERS, DEAD), "own page": always(AT_ONCE, PAGE_WITHOUT_ORDERS)},
    ),
    FaultExpectation(
        "order-service",
        "paused",
        {
            **for_calls(OF_ORDERS, SILENT),
            "own page": at_first(WITHIN_3, PAGE_WITHOUT_ORDERS, then=PAGE_WITHOUT_ORDERS),
        },
    ),
    FaultExpectation(
        "order-service",
        "slow",
        {
            **all_late(OF_ORDERS),
            "own page": at_first(WITHIN_3, PAGE_WITHOUT_ORDERS, then=PAGE_WITHOUT_ORDERS),
        },
    ),
)
CATALOG = (
    FaultExpectation(
        "catalog-service",
        "killed",
        {
            **for_calls(OF_CATALOG, DEAD),
            "place an order": always(AT_ONCE, ACCEPTED_WITH_LAST_KNOWN_PRICES),
        },
    ),
    FaultExpectation(
        "catalog-service",
        "paused",
        {
            **for_calls(OF_CATALOG, SILENT),
            "place an order": at_first(
                WITHIN_3, ACCEPTED_WITH_LAST_KNOWN_PRICES, then=ACCEPTED_WITH_LAST_KNOWN_PRICES
            ),
        },
    ),
    FaultExpectation(
        "catalog-service",
        "slow",
        {
            **all_late(OF_CATALOG),
            "place an order": at_first(
                WITHIN_3, ACCEPTED_WITH_LAST_KNOWN_PRICES, then=ACCEPTED_WITH_LAST_KNOWN_PRICES
            ),
        },
    ),
)
GATEWAY = (
    FaultExpectation("gateway", "killed", for_calls(ALL, always(AT_ONCE, "no connection"))),
    FaultExpectation("gateway", "paused", for_calls(ALL, always(NEVER, "no answer"))),
    FaultExpectation("gateway", "slow", all_late(ALL)),
)
POSTGRES = (
    FaultExpectation("postgres", "killed", for_calls(ALL, always(AT_ONCE, AWAY))),
    FaultExpectation(
        "postgres",
        "paused",
        {
            **for_calls(ALL, Promise(Cell((AWAY,), WITHIN_11), Cell((AWAY,), WITHIN_3))),
            # One in ten seconds is the trial of catalog-service first, and then asks the database.
            "place an order": Promise(Cell((AWAY,), WITHIN_11), Cell((AWAY,), WITHIN_5)),
        },
    ),
    FaultExpectation(
        "postgres",
        "slow",
        {
            **all_late(ALL),
            # What is behind two services may just miss the time-out between them.
            "own page": always(WITHIN_3, "200", PAGE_WITHOUT_ORDERS),
            "place an order": always(WITHIN_3, "201", ACCEPTED_WITH_LAST_KNOWN_PRICES),
        },
    ),
)


def without_effect(part: str) -> tuple[FaultExpectation, ...]:
    return tuple(FaultExpectation(part, state) for state in ("killed", "paused", "slow"))


FAULTS: tuple[FaultExpectation, ...] = (
    *USER,
    *ORDER,
    *CATALOG,
    *GATEWAY,
    *without_effect("discovery"),
    *without_effect("config-server"),
    *without_effect("kafka"),
    *POSTGRES,
    *without_effect("zipkin"),
)

# What the tables cannot say; the tests behind each sentence are named in it.
REPAIRS = {
    "user-service": "A token that was issued goes on opening the other services: they keep its"
    " public key. What an admin does there is refused with 503 `rights-unchecked`, for nobody can"
    " be asked whether this still is one. Started anew, its first healthy answer lets the next call"
    " close the breaker; paused and let go on, the probe does, up to 10 s later.",
    "order-service": "Orders accepted before are decided all the same, for their events wait in"
    " Kafka. A request whose answer was lost is sent again with its Idempotency-Key.",
    "catalog-service": "Orders are checked against the last prices and stocks that order-service"
    " knows, stay PENDING, and are decided when catalog-service is back.",
    "gateway": "Nothing reaches the shop; what it had accepted goes on being decided.",
    "discovery": "Every process goes on with the last list of instances. One that starts meanwhile"
    " is found as soon as discovery is back and has heard of it.",
    "config-server": "Every process goes on with what it has been told. One that starts meanwhile"
    " takes its last known good configuration, says so in its health, and asks again at a refresh.",
    "kafka": "Orders and cancels are accepted; orders stay PENDING. Their events wait in the"
    " outboxes and are published when Kafka is back, the oldest first.",
    "postgres": "Nothing is accepted, so nothing is owed. Consumers wait with growing pauses and"
    " skip nothing; pools replace their dead connections by themselves.",
    "zipkin": "Spans are dropped and counted (`zipkin_reporter_spans_dropped_total`). Those of"
    " meanwhile are lost for good; nothing else is. A starting shop does not wait for Zipkin: each"
    " process keeps up to 10,000 spans until Zipkin has answered it once.",
}

"""What is made of the pages of one instance."""

from typing import Any

import pytest

from panel.model.facts import Facts
from panel.sources.actuators import Silent
from panel.sources.instances import InstanceWatch, Rhythm

BREAKER = {
    "state": "CLOSED",
    "calls": {"successful": 3, "failed": 0, "ignored": 0},
    "callDurations": {"0.005": 2, "0.01": 1, "+Inf": 0},
    "notPermittedCalls": 0,
}
HEALTH = {"components": {"configuration": {"status": "UP", "details": {"source": "x"}}}}


class Actuators:
    """Answers from `pages`, by the end of the address; raises Silent where that is None."""

    def __init__(self) -> None:
        self.pages: dict[str, Any] = {
            "health": HEALTH,
            "circuitbreakers": {"circuitBreakers": {"catalog-service": BREAKER}},
            "circuitbreakerevents/catalog-service": {
                "circuitBreakerEvents": [{"errorMessage": "refused"}, {"stateTransition": "x"}]
            },
            "chaosmonkey": {
                "chaosMonkeyProperties": {"enabled": True},
                "assaultProperties": {"exceptionsActive": True, "exceptionRate": 0.3},
            },
        }

    async def json(self, part: str, url: str) -> Any:
        page = self.pages[url.partition("/actuator/")[2]]
        if page is None:
            raise Silent("takes no connections")
        return page

    async def text(self, part: str, url: str) -> str:
        return "zipkin_reporter_spans_sent_total 3.0\n"


class Watched:
    def __init__(self) -> None:
        self.facts = Facts(())
        self.actuators = Actuators()
        self.changes = 0
        self.configured: list[tuple[str, str, list[str]]] = []
        rhythm = Rhythm(lambda: True, lambda: True, lambda: 10.0, lambda: None, lambda: None)
        self.watch = InstanceWatch(
            "order-service-1",
            "http://127.0.0.1:4000",
            self.facts,
            self.actuators,  # type: ignore[arg-type]
            rhythm,
            self._changed,
            lambda at, service, keys: self.configured.append((at, service, list(keys))),
        )

    def _changed(self) -> None:
        self.changes += 1

    async def look(self) -> None:
        self.watch.hasten()
        await self.watch._look()


@pytest.fixture
def watched() -> Watched:
    return Watched()


def run(coroutine: Any) -> None:
    try:
        coroutine.send(None)
    except StopIteration:
        return
    raise AssertionError("it waits for something")


def test_a_look_brings_health_breakers_and_faults(watched: Watched) -> None:
    run(watched.look())

    known = watched.facts.of("order-service-1")
    assert known.health == HEALTH
    assert known.breakers == {"catalog-service": BREAKER}
    assert known.assaults == ("fail 30 %",)


def test_a_failure_more_brings_its_reason(watched: Watched) -> None:
    run(watched.look())
    assert watched.facts.of("order-service-1").last_failures == {}

    failed = {**BREAKER, "calls": {"successful": 3, "failed": 1, "ignored": 0}}
    watched.actuators.pages["circuitbreakers"] = {"circuitBreakers": {"catalog-service": failed}}
    run(watched.look())

    assert watched.facts.of("order-service-1").last_failures == {"catalog-service": "refused"}


def test_what_is_as_before_is_no_change(watched: Watched) -> None:
    run(watched.look())
    before = watched.changes
    run(watched.look())

    assert watched.changes == before


def test_a_changed_key_is_told_once_and_not_the_one_from_before_we_came(watched: Watched) -> None:
    def changed(at: str) -> dict[str, Any]:
        details = {"source": "x", "changed": {"at": at, "keys": ["fusebox.threads"]}}
        return {"components": {"configuration": {"status": "UP", "details": details}}}

    for at in ("10:00", "10:05", "10:05"):
        watched.actuators.pages["health"] = changed(at)
        run(watched.look())

    assert watched.configured == [("10:05", "order-service", ["fusebox.threads"])]


@pytest.mark.parametrize(
    "page", [{}, {"circuitBreakers": None}, {"circuitBreakers": []}, {"circuitBreakers": 5}]
)
def test_a_page_without_breakers_has_none(watched: Watched, page: dict[str, Any]) -> None:
    watched.actuators.pages["circuitbreakers"] = page
    run(watched.look())

    assert watched.facts.of("order-service-1").breakers == {}

"""A canary whose breaker is open: who answers for it, how it comes back, and what is left of it."""

import pytest

from chassis.resilience.examination import OpenBreakerProber

from ..conftest import Shop, Upstream, until
from ..routes import saying

CANARY = "fusebox.gateway.canaries.order-service."
BREAKER = "order-service@canary"


@pytest.fixture
def failing(shop: Shop) -> Upstream:
    return shop.upstream(saying("tried", status=503), canary="true")


@pytest.fixture
def canary(shop: Shop, failing: Upstream) -> Shop:
    """All requests go to the canary, which answers 503, and is not to be rolled back yet."""
    shop.upstream(saying("usual"))
    shop.source.update({f"{CANARY}weight": 100, f"{CANARY}min-calls": 1000})
    shop.configuration.refresh()
    for _ in range(3):
        assert shop.call("/order-service/x").status_code == 503
    assert shop.breaker(BREAKER) == "OPEN"
    return shop


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_while_the_breaker_of_a_canary_is_open_the_usual_version_answers(
    canary: Shop, method: str
) -> None:
    def body() -> object:
        yield b"a body "
        yield b"that streams"

    answers = [canary.call("/order-service/x", method, data=body()) for _ in range(5)]

    assert {(answer.status_code, answer.text) for answer in answers} == {(200, "usual")}
    assert (canary.breaker(), canary.breaker(BREAKER)) == ("CLOSED", "OPEN")


def test_a_canary_that_is_well_again_gets_its_share_back_by_itself(
    canary: Shop, failing: Upstream
) -> None:
    failing.answer = saying("tried")
    prober = OpenBreakerProber(canary.process.breakers)
    canary.process.breakers.hasten_probe("order-service")

    def is_back() -> bool:
        prober.probe()
        return canary.call("/order-service/x").text == "tried"

    until(is_back)
    assert canary.breaker(BREAKER) == "CLOSED"


@pytest.mark.parametrize("end", [{"weight": 0}, {"weight": 50, "attempt": "2"}])
def test_a_canary_that_ends_or_starts_anew_leaves_no_breaker_behind(
    canary: Shop, end: dict[str, object]
) -> None:
    canary.source.update({CANARY + key: value for key, value in end.items()})
    canary.configuration.refresh()
    assert canary.rules.table

    assert BREAKER not in {breaker.name for breaker in canary.process.breakers.all()}
    assert canary.process.breakers.known("order-service") is None


def test_a_canary_that_fails_loses_its_weight_within_a_few_calls_by_hand(canary: Shop) -> None:
    del canary.source[f"{CANARY}min-calls"]
    canary.source.update({f"{CANARY}attempt": "2", "fusebox.breaker.fail-max": 10})
    canary.configuration.refresh()

    answers = [canary.call("/order-service/x").status_code for _ in range(8)]

    assert answers == [503] * 5 + [200] * 3

"""Each service is asked to delete what has had its time, until it says that all is done."""

from datetime import timedelta
from typing import Any

import pytest

from fusebox.core.errors import Fault
from fusebox.core.stack import Stack
from fusebox.network.http import HttpResponse
from fusebox.operations import purge as purging
from fusebox.operations.purge import PurgedRows
from fusebox.runtime.driver import State

INSTANCES = (
    "catalog-service-1",
    "gateway",
    "java",
    "order-service-1",
    "order-service-2",
    "user-service-1",
)


class ShopThatPurges:
    """A driver, and for every instance an actuator with prepared answers."""

    def __init__(self, *instances: str) -> None:
        self.instances = list(instances)
        self.answers: dict[str, list[HttpResponse]] = {}
        self.asked: list[str] = []

    def states(self) -> dict[str, State]:
        return {name: State(name, "RUNNING", 1, 0, "") for name in self.instances}

    def at(self, _stack: Stack, state: State) -> Any:
        shop = self

        class Client:
            def post(self, page: str) -> HttpResponse:
                assert page == "housekeeping"
                shop.asked.append(state.instance)
                return shop.answers[state.instance.rpartition("-")[0]].pop(0)

        return Client()


def answer(done: bool = True, **removed: int) -> HttpResponse:
    tables = ", ".join(
        f'"{name}": {{"removed": {rows}, "keepSeconds": 86400.0}}' for name, rows in removed.items()
    )
    text = f'{{"done": {str(done).lower()}, "tables": {{{tables}}}}}'
    return HttpResponse(200, text.encode())


@pytest.fixture
def shop(monkeypatch: pytest.MonkeyPatch) -> ShopThatPurges:
    shop = ShopThatPurges(*INSTANCES)
    monkeypatch.setattr(purging, "running_driver", lambda _stack: shop)
    monkeypatch.setattr(purging, "ActuatorClient", shop)
    for service in ("user-service", "catalog-service", "order-service"):
        shop.answers[service] = [answer(inbox=0)]
    return shop


def test_one_instance_of_each_service_is_asked_until_all_is_done(
    stack: Stack, shop: ShopThatPurges
) -> None:
    shop.answers["user-service"] = [answer(done=False, users=500), answer(users=3, sessions=1)]

    purged = purging.purge(stack)

    day = timedelta(days=1)
    assert PurgedRows("user-service", "users", 503, day) in purged
    assert PurgedRows("user-service", "sessions", 1, day) in purged
    assert shop.asked.count("user-service-1") == 2
    assert len([name for name in shop.asked if name.startswith("order-service")]) == 1


def test_a_service_without_housekeeping_is_left_alone(stack: Stack, shop: ShopThatPurges) -> None:
    shop.answers["catalog-service"] = [HttpResponse(404)]

    assert {rows.service for rows in purging.purge(stack)} == {"user-service", "order-service"}


@pytest.mark.parametrize(
    "bad", [HttpResponse(0), HttpResponse(500, b"{}"), HttpResponse(200, b"[")]
)
def test_a_service_that_does_not_do_it_is_named(
    stack: Stack, shop: ShopThatPurges, bad: HttpResponse
) -> None:
    shop.answers["order-service"] = [bad]

    with pytest.raises(Fault, match="order-service did not purge"):
        purging.purge(stack)


def test_a_service_that_does_not_run_is_named(stack: Stack, shop: ShopThatPurges) -> None:
    shop.instances.remove("user-service-1")

    with pytest.raises(Fault, match="user-service is not running"):
        purging.purge(stack)

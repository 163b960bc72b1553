"""When too many are silent at once, nobody is evicted."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from discovery.registry.models import DataCenter, InstanceInfo, RegistryClock
from discovery.registry.registry import Registry
from discovery.registry.rules import LeaseRules

PROBE = InstanceInfo(
    "PROBE", "", "h", "127.0.0.1", DataCenter("MyOwn"), renewal_seconds=5, duration_seconds=15
)


class Shop:
    """Twenty instances that renew at different moments of the same five seconds."""

    def __init__(self, threshold: float | None = 0.85) -> None:
        self.now = 0.0
        self.threshold = threshold
        self.registry = Registry(
            RegistryClock(lambda: self.now, lambda: self.now),
            lambda: LeaseRules(1, 180, self.threshold),
        )
        self.alive = [f"h:{number}" for number in range(20)]
        for id_ in self.alive:
            self.registry.register(replace(PROBE, instance_id=id_))

    def live(self, seconds: int) -> None:
        for _ in range(seconds):
            self.now += 1
            for number, id_ in enumerate(self.alive):
                if (number + int(self.now)) % 5 == 0:
                    self.registry.renew("PROBE", id_)
            self.registry.sweep()

    @property
    def registered(self) -> int:
        return len(self.registry.leases())


def test_a_few_that_stop_renewing_are_evicted() -> None:
    shop = Shop()
    shop.live(10)

    del shop.alive[:3]
    shop.live(40)

    assert (shop.registered, shop.registry.preserving) == (17, False)


def test_nobody_is_evicted_when_a_network_fails_although_leases_end_one_by_one() -> None:
    shop = Shop()
    shop.live(10)

    back = shop.alive
    shop.alive = []
    shop.live(300)
    assert (shop.registered, shop.registry.preserving) == (20, True)
    assert shop.registry.instance("PROBE", "h:0"), "nor is one of them answered 404"

    shop.alive = back
    shop.live(10)
    assert (shop.registered, shop.registry.preserving) == (20, False)


def test_instances_that_are_really_gone_are_evicted_once_the_others_renew_again() -> None:
    shop = Shop()
    shop.live(10)
    back = shop.alive[2:]
    shop.alive = []
    shop.live(60)

    shop.alive = back
    shop.live(10)

    assert (shop.registered, shop.registry.preserving) == (18, False)


def test_without_self_preservation_every_lapsed_instance_is_evicted() -> None:
    shop = Shop(threshold=None)
    shop.live(10)

    shop.alive = []
    shop.live(40)

    assert (shop.registered, shop.registry.preserving) == (0, False)


def test_self_preservation_can_be_switched_off_while_it_is_active() -> None:
    shop = Shop()
    shop.alive = []
    shop.live(60)
    assert shop.registered == 20

    shop.threshold = None
    shop.live(1)

    assert shop.registered == 0


@pytest.mark.parametrize(
    ("threshold", "total", "tolerated"), [(0.85, 1, 1), (0.85, 7, 2), (0.85, 100, 15), (0, 5, 5)]
)
def test_the_share_that_may_stop_renewing_is_netflixs(
    threshold: float, total: int, tolerated: int
) -> None:
    preserve: Callable[[int, int], bool] = LeaseRules(renewal_threshold=threshold).preserve

    assert not preserve(tolerated, total)
    assert preserve(tolerated + 1, total)

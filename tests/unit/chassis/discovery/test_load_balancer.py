"""Picking an instance of a service."""

import pytest

from chassis.core.errors import Unavailable
from chassis.discovery.instances import Instance
from chassis.discovery.load_balancer import LoadBalancer

ONE, TWO = (Instance(f"i-{n}", "svc", "127.0.0.1", n) for n in (1, 2))


def test_the_less_busy_of_two_is_chosen_and_a_refusing_one_passed_over() -> None:
    balancer = LoadBalancer(lambda: {"svc": (ONE, TWO)})

    with balancer.calling(ONE):
        assert balancer.choose("svc") == TWO
        balancer.refused(TWO)
        assert balancer.choose("svc") == ONE
    assert balancer.choose("svc", tried={ONE}) == TWO
    with pytest.raises(Unavailable):
        balancer.choose("svc", tried={ONE, TWO})

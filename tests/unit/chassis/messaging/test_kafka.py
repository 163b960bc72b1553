"""What kafka-python is made to do without being told."""

import threading
from collections.abc import Callable

import crc32c
import pytest
from kafka.errors import KafkaConnectionError
from kafka.record import util

from chassis.core.environment import Environment
from chassis.messaging import kafka


def test_checksums_are_not_computed_in_python() -> None:
    """Its own are most of the CPU that a record costs; it takes the package where there is one."""
    assert util.calc_crc32c.__defaults__ == (crc32c.crc32c,)
    assert util.calc_crc32c(memoryview(b"123456789")) == 0xE3069283


@pytest.mark.parametrize("make", [kafka.producer, kafka.consumer, kafka.listener])
def test_a_client_that_finds_no_broker_leaves_no_thread_behind(
    make: Callable[[str, Environment], object],
) -> None:
    environment = Environment.read("order-service", {})
    before = threading.active_count()

    with pytest.raises(KafkaConnectionError, match="no broker takes connections"):
        make("127.0.0.1:1", environment)
    assert threading.active_count() == before

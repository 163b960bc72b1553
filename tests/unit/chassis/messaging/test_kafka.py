"""What kafka-python is made to do without being told."""

import crc32c
from kafka.record import util


def test_checksums_are_not_computed_in_python() -> None:
    """Its own are most of the CPU that a record costs; it takes the package where there is one."""
    assert util.calc_crc32c.__defaults__ == (crc32c.crc32c,)
    assert util.calc_crc32c(memoryview(b"123456789")) == 0xE3069283

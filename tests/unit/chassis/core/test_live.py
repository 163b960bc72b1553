"""Values that change while the process runs."""

import threading

from chassis.core.live import Live


def test_what_is_made_from_a_value_follows_it() -> None:
    number = Live(1)
    text = number.map(lambda value: value + 1).map(str)
    assert text.value == "2"

    number.set(8)

    assert (number.value, number(), text.value, text()) == (8, 8, "9", "9")


def test_a_part_is_computed_once_for_each_change_and_not_at_each_read() -> None:
    calls: list[int] = []
    number = Live(1)
    part = number.map(calls.append)

    for _ in range(10):
        assert part.value is None
    number.set(2)

    assert calls == [1, 2]


def test_a_part_that_is_made_during_a_change_does_not_miss_it() -> None:
    number = Live(0)
    ended = threading.Event()

    def change() -> None:
        for value in range(2000):
            number.set(value)
        ended.set()

    thread = threading.Thread(target=change)
    thread.start()
    parts = []
    while not ended.is_set():
        parts.append(number.map(lambda value: value))
    thread.join()

    assert {part.value for part in parts} <= {number.value}

"""How the relay of an outbox hears of new rows, from its own process and from other instances."""

import os
import selectors
from contextlib import suppress
from enum import IntEnum
from typing import Any

import psycopg
from sqlalchemy import Connection, text

NOTIFY = text("SELECT pg_notify('outbox', :urgency)")


class Urgency(IntEnum):
    """What the relay is told: nothing, that there are rows, or that somebody waits for them."""

    NOTHING = 0
    ROWS = 1
    AWAITED = 2


class WakeUps:
    """`send` is called by whoever has committed rows, the others by the relay's thread."""

    def __init__(self) -> None:
        self._reader, self._writer = os.pipe()
        os.set_blocking(self._reader, False)
        os.set_blocking(self._writer, False)

    def send(self, urgency: Urgency) -> None:
        """Never waits."""
        with suppress(BlockingIOError):  # then a wake-up is under way already
            os.write(self._writer, bytes((urgency,)))

    def listen(self, connection: Connection, selector: selectors.BaseSelector) -> None:
        """From now on `selector` hears what is told here, and elsewhere through PostgreSQL."""
        raw = connection.connection.driver_connection
        assert isinstance(raw, psycopg.Connection)
        connection.execute(text("LISTEN outbox"))
        selector.register(self._reader, selectors.EVENT_READ)
        selector.register(raw.fileno(), selectors.EVENT_READ, raw)

    def receive(self, selector: selectors.BaseSelector, seconds: float) -> tuple[Urgency, Urgency]:
        """The most urgent that comes within `seconds`, from here and from other instances."""
        here = elsewhere = Urgency.NOTHING
        for key, _ in selector.select(seconds):
            if key.data is None:
                here = Urgency(max(os.read(self._reader, 4096)))
            else:
                elsewhere = _most_urgent(key.data)
        return here, elsewhere


def pass_on(connection: Connection, urgency: Urgency) -> None:
    """Tell the instance that is listening."""
    connection.execute(NOTIFY, {"urgency": urgency.name})


def _most_urgent(raw: psycopg.Connection[Any]) -> Urgency:
    notices = [notice.payload for notice in raw.notifies(timeout=0)]
    # An instance of another version may say nothing that is known.
    urgencies = [Urgency.__members__.get(payload, Urgency.ROWS) for payload in notices]
    return max(urgencies, default=Urgency.NOTHING)

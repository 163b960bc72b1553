"""Recording messages wakes the relay of the same app, and no other, after the commit."""

from dataclasses import replace
from typing import Any

from sqlalchemy import MetaData
from sqlalchemy.orm import Session, sessionmaker

from chassis.messaging.outbox import Message, Outbox
from chassis.messaging.relay import on_commit

OUTBOX = Outbox(MetaData())
MESSAGE = Message("orders", "1", "order.placed", {})


class SessionWithoutDatabase(Session):
    def execute(self, *args: Any, **kwargs: Any) -> Any:
        return None


class App:
    """One of several in a process: a sessionmaker of its own, the same outbox table."""

    def __init__(self) -> None:
        self.wake_ups = 0
        self.is_awaited = False
        self.sessions: sessionmaker[Session] = sessionmaker(class_=SessionWithoutDatabase)
        on_commit(self.sessions, self.notify)

    def notify(self, is_awaited: bool) -> None:
        self.wake_ups += 1
        self.is_awaited = is_awaited

    def record(self, *messages: Message) -> None:
        with self.sessions.begin() as session:
            OUTBOX.record(session, messages)
            assert self.wake_ups == 0, "not before the commit"


def test_two_apps_in_one_process_do_not_steal_each_others_wake_up() -> None:
    first, second = App(), App()

    first.record(MESSAGE)
    assert (first.wake_ups, second.wake_ups) == (1, 0)

    second.record(MESSAGE)
    assert (first.wake_ups, second.wake_ups) == (1, 1)


def test_a_batch_of_messages_is_one_wake_up() -> None:
    app = App()

    app.record(MESSAGE, MESSAGE)

    assert app.wake_ups == 1
    assert not app.is_awaited


def test_of_a_batch_that_somebody_waits_for_the_relay_is_told_so() -> None:
    app = App()

    app.record(MESSAGE, replace(MESSAGE, is_awaited=True), MESSAGE)

    assert (app.wake_ups, app.is_awaited) == (1, True)


def test_a_commit_without_messages_wakes_nobody() -> None:
    app = App()

    app.record()
    with app.sessions.begin():
        pass

    assert app.wake_ups == 0


def test_a_session_that_goes_on_wakes_the_relay_once_for_what_it_recorded() -> None:
    app = App()

    with app.sessions() as session:
        OUTBOX.record(session, [MESSAGE])
        session.commit()
        session.commit()
        assert app.wake_ups == 1
        OUTBOX.record(session, [MESSAGE])
        session.commit()

    assert app.wake_ups == 2


def test_what_is_rolled_back_wakes_nobody() -> None:
    app = App()

    with app.sessions() as session:
        OUTBOX.record(session, [MESSAGE])
        session.rollback()

    assert app.wake_ups == 0


def test_a_session_of_no_app_wakes_nobody() -> None:
    app = App()

    with SessionWithoutDatabase() as session, session.begin():
        OUTBOX.record(session, [MESSAGE])

    assert app.wake_ups == 0

"""Named points between the steps of an order's way, at which a test can have the process die.

Nothing happens at a point unless it was armed, through /actuator/chaosmonkey.
"""

import logging
import os
import signal

log = logging.getLogger(__name__)

BEFORE_COMMIT = "request.before-commit"
AFTER_COMMIT = "request.after-commit"
BEFORE_PUBLISH = "outbox.before-publish"
AFTER_PUBLISH = "outbox.after-publish"
CONSUMED_BEFORE_COMMIT = "consumer.before-commit"
CONSUMED_AFTER_COMMIT = "consumer.after-commit"
AFTER_OFFSET = "consumer.after-offset"
ALL = (
    BEFORE_COMMIT,
    AFTER_COMMIT,
    BEFORE_PUBLISH,
    AFTER_PUBLISH,
    CONSUMED_BEFORE_COMMIT,
    CONSUMED_AFTER_COMMIT,
    AFTER_OFFSET,
)

_armed: list[str] = []


def arm(name: str | None) -> None:
    """Have this process killed, as by SIGKILL from outside, when it next reaches `name`."""
    _armed[:] = [name] if name else []


def armed() -> str | None:
    return _armed[0] if _armed else None


def kill_point(name: str) -> None:
    if name in _armed:
        log.critical("killed on purpose at %s", name)
        os.kill(os.getpid(), signal.SIGKILL)

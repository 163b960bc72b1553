"""Notices what changed where configuration is kept, so that nobody has to call anything."""

import logging
import threading
from collections.abc import Callable, Iterable

from config_server.files.trees import SUFFIXES
from config_server.model import Away, Backend, Stamps, UnknownLabel

log = logging.getLogger(__name__)

PERIOD_SECONDS = 0.25
SHARED = "application"

# The configuration of these applications changed; None: of all.  It is called from a thread of its
# own, returns soon and raises nothing.
Changed = Callable[[set[str] | None], None]


def to_the_log(applications: set[str] | None) -> None:
    names = "all" if applications is None else ", ".join(sorted(applications))
    log.info("the configuration of %s has changed", names)


class Watch:
    def __init__(
        self, backend: Backend, changed: Changed, period_seconds: float = PERIOD_SECONDS
    ) -> None:
        self._backend = backend
        self._changed = changed
        self._period = period_seconds
        self._trouble = ""

    def run(self, stop: threading.Event) -> None:
        """At the start all are told: nobody knows what was edited while this process was away."""
        told, seen = None, self._look()
        while not stop.wait(self._period):
            now = self._look()
            # Once it holds still: an editor may be halfway through writing.
            if now is not None and now == seen != told:
                self._tell(told, now)
                told = now
            seen = now

    def _look(self) -> Stamps | None:
        trouble, found = "", None
        try:
            self._backend.renew()
        except Away as error:
            trouble = str(error)
        try:
            found = self._backend.stamps()
        except (Away, UnknownLabel) as error:
            trouble = str(error)
        if trouble not in ("", self._trouble):
            log.warning("changes go unnoticed: %s", trouble)
        self._trouble = trouble
        return found

    def _tell(self, before: Stamps | None, now: Stamps) -> None:
        if before is None:
            self._changed(None)
            return
        # Of a broken file the old version is still served.
        sound = _differing(before, now) - self._broken()
        if sound:
            self._changed(affected(sound))

    def _broken(self) -> set[str]:
        try:
            return set(self._backend.problems())
        except (Away, UnknownLabel):
            return set()


def affected(paths: Iterable[str]) -> set[str] | None:
    """The applications that files of these names may concern; None: all of them.

    `a-b.yml` may be `a` under the profile `b`, or the application `a-b`.
    """
    found = {name for path in paths for name in _applications(_stem(path))}
    return None if SHARED in found else found


def _stem(path: str) -> str:
    name = path.rpartition("/")[2]
    suffix = next((each for each in SUFFIXES if name.endswith(each)), "")
    return name.removesuffix(suffix)


def _applications(stem: str) -> set[str]:
    words = stem.split("-")
    return {"-".join(words[: count + 1]) for count in range(len(words))}


def _differing(before: Stamps, after: Stamps) -> set[str]:
    return {path for path in before.keys() | after.keys() if before.get(path) != after.get(path)}

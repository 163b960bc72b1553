"""Watches the back end for changes, so that nobody has to report them."""

import logging
import threading
from collections.abc import Callable, Iterable

from config_server.files.trees import SUFFIXES
from config_server.model import Backend, BackendUnavailable, Stamps, UnknownLabel

log = logging.getLogger(__name__)

PERIOD_SECONDS = 0.5
SHARED = "application"

# Called with the applications whose configuration changed; None: all.  It runs in the watcher's
# thread, so it returns soon and raises nothing.
OnChange = Callable[[set[str] | None], None]


def log_change(applications: set[str] | None) -> None:
    names = "all" if applications is None else ", ".join(sorted(applications))
    log.info("the configuration of %s has changed", names)


class BackendWatcher:
    def __init__(
        self, backend: Backend, on_change: OnChange, period_seconds: float = PERIOD_SECONDS
    ) -> None:
        self._backend = backend
        self._on_change = on_change
        self._period = period_seconds
        self._last_problem = ""

    def run(self, stop: threading.Event) -> None:
        """At the start it announces all: files may have been edited while this process was down."""
        announced, previous = None, self._stamps()
        while not stop.wait(self._period):
            current = self._stamps()
            # Once it is stable: an editor may be halfway through writing.
            if current is not None and current == previous != announced:
                self._announce(announced, current)
                announced = current
            previous = current

    def _stamps(self) -> Stamps | None:
        problem, stamps = "", None
        try:
            self._backend.refresh()
        except BackendUnavailable as error:
            problem = str(error)
        try:
            stamps = self._backend.stamps()
        except (BackendUnavailable, UnknownLabel) as error:
            problem = str(error)
        if problem not in ("", self._last_problem):
            log.warning("the back end cannot be watched: %s", problem)
        self._last_problem = problem
        return stamps

    def _announce(self, before: Stamps | None, current: Stamps) -> None:
        if before is None:
            self._on_change(None)
            return
        # A broken file is still served in its old version.
        changed = _differing(before, current) - self._broken()
        if changed:
            shared = _any_within(changed, self._backend.imported())
            self._on_change(None if shared else affected_applications(changed))

    def _broken(self) -> set[str]:
        try:
            return set(self._backend.problems())
        except (BackendUnavailable, UnknownLabel):
            return set()


def affected_applications(paths: Iterable[str]) -> set[str] | None:
    """The applications to which files of these names may apply; None: all of them.

    `a-b.yml` may be `a` under the profile `b`, or the application `a-b`.
    """
    names = {name for path in paths for name in _applications(_stem(path))}
    return None if SHARED in names else names


def _stem(path: str) -> str:
    name = path.rpartition("/")[2]
    suffix = next((suffix for suffix in SUFFIXES if name.endswith(suffix)), "")
    return name.removesuffix(suffix)


def _applications(stem: str) -> set[str]:
    words = stem.split("-")
    return {"-".join(words[: count + 1]) for count in range(len(words))}


def _any_within(paths: Iterable[str], imported: frozenset[str]) -> bool:
    folders = tuple(path for path in imported if path.endswith("/"))
    return any(path in imported or path.startswith(folders) for path in paths)


def _differing(before: Stamps, after: Stamps) -> set[str]:
    return {path for path in before.keys() | after.keys() if before.get(path) != after.get(path)}

"""The client of the configuration server: fetch, retry, else go on with the last known good copy.

A change arrives in one way, `refresh`: asked for by POST /actuator/refresh, which config-server
sends when a file has changed, or by `poll`.
"""

import json
import logging
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import nullcontext, suppress
from datetime import UTC, datetime
from typing import Any, Generic, NamedTuple, TypeVar

import requests
from pydantic import ValidationError

from chassis.config import validation
from chassis.config.properties import (
    fill_placeholders,
    merged,
    to_tree,
    without_empty_parents,
)
from chassis.config.settings import Settings
from chassis.core import log_levels, secrecy
from chassis.core.backoff import Backoff
from chassis.core.environment import Environment
from chassis.core.internal_http import UNSAMPLED, internal_session
from chassis.core.live import Live
from chassis.identity.assertions import OwnIdentity

log = logging.getLogger(__name__)

S = TypeVar("S", bound=Settings)
FetchSources = Callable[[], list[dict[str, Any]]]

# Long enough for a server that is starting beside us, short enough to notice that there is none.
SECONDS_WITH_A_COPY = 3.0
SECONDS_WITHOUT = 60.0
POLL_SECONDS = 1.0
NOTHING = (None, "")


class ConfigurationError(Exception):
    """The process cannot start: no configuration, or one that does not validate."""


class ConfigurationChange(NamedTuple):
    """A change while the process runs, by the names of the keys."""

    at: datetime
    keys: tuple[str, ...]


class ConfigClient(Generic[S]):
    """Holds the settings of this process: `live` changes with them.

    `source` is "config-server" or "last-known-good", and `flat` holds the winning value of each
    key with the name of the property source it came from.  `refused` says why the newest one is
    not in use, if so, and `changed` what the last change of a running process was.  `encrypted` are
    the keys whose values are so where they are kept.
    """

    def __init__(
        self, model: type[S], environment: Environment, fetch: FetchSources | None = None
    ) -> None:
        """`fetch` gets the property sources, unless config-server has them."""
        self.model = model
        self._environment = environment
        self._identity = OwnIdentity(environment)
        self._copy = environment.state / "configuration.json"
        self.live: Live[S] = Live(model())
        self.flat: dict[str, tuple[Any, str]] = {}
        self.encrypted: frozenset[str] = frozenset()
        self.source = "defaults"
        self.refused = ""
        self.changed: ConfigurationChange | None = None
        self._sources: list[dict[str, Any]] = []
        self._fetch = fetch or self._fetch_from_server
        # From the fetch to the end: of two at once, the older must not be applied last.
        self._refreshing = threading.Lock()
        self._polling: requests.Session | None = None

    @property
    def current(self) -> S:
        """An immutable snapshot."""
        return self.live.value

    def load(self) -> S:
        """Fetch, patiently, and validate.

        Raises ConfigurationError when nobody answers, or a value is wrong, and no copy is kept.
        """
        seconds = SECONDS_WITH_A_COPY if self._copy.exists() else SECONDS_WITHOUT
        with self._refreshing:
            sources = self._fetch_patiently(seconds)
            if sources is not None:
                self._begin_with(sources)
            elif self._copy.exists():
                log.warning("config-server does not answer: using the last known good copy")
                self._apply(json.loads(self._copy.read_text()), "last-known-good")
            else:
                raise ConfigurationError(
                    f"{self._environment.config_server} gave no configuration within "
                    f"{seconds:.0f} s and no earlier copy is kept in {self._copy}. "
                    "Is config-server running?"
                )
        return self.current

    def _begin_with(self, sources: list[dict[str, Any]]) -> None:
        # A slip in a file must not end a process again and again that served well before it.
        try:
            self._apply(sources, "config-server")
        except ConfigurationError as error:
            if not self._copy.exists():
                raise
            log.error("%s: using the last known good copy", error)
            self._apply(json.loads(self._copy.read_text()), "last-known-good")
            self.refused = str(error)
        else:
            self._keep(sources)

    def refresh(self) -> list[str]:
        """Fetch again and apply what came; the keys that changed, in their order.

        Raises ConfigurationError when nobody answers or a value is wrong; the old values stay.
        Refreshes take turns, and one that brings nothing new changes nothing.
        """
        with self._refreshing:
            before = self.flat
            self._fetch_and_apply()
            changed = sorted(
                key
                for key in before.keys() | self.flat.keys()
                if before.get(key, NOTHING)[0] != self.flat.get(key, NOTHING)[0]
            )
            if "logging.level.root" in changed:
                log_levels.configure(self.current.logging.level.root)
            if changed:
                self.changed = ConfigurationChange(datetime.now(UTC), tuple(changed))
                log.info("configuration changed: %s", ", ".join(changed))
            return changed

    def poll(self, stop: threading.Event) -> None:
        """For a process that config-server cannot notify, as its actuator wants a token."""
        with internal_session() as self._polling:
            while not stop.wait(POLL_SECONDS):
                with suppress(ConfigurationError):  # which is logged, and shown by health
                    self.refresh()
        self._polling = None

    def _fetch_and_apply(self) -> None:
        try:
            sources = self._fetch()
        except requests.RequestException as error:
            raise ConfigurationError(f"config-server does not answer: {error}") from error
        if sources == self._sources:
            self.refused = ""
            return
        try:
            self._apply(sources, "config-server")
        except ConfigurationError as error:
            if self.refused != str(error):
                log.warning("the new configuration is refused: %s", error)
            self.refused = str(error)
            raise
        self._keep(sources)

    def _fetch_patiently(self, seconds: float) -> list[dict[str, Any]] | None:
        backoff = Backoff(0.05, 1.0, factor=1.5, max_elapsed=seconds)
        while True:
            try:
                return self._fetch()
            except requests.RequestException as error:
                if backoff.is_over:
                    log.error("config-server: %s", error)
                    return None
            time.sleep(backoff.next())

    def _fetch_from_server(self) -> list[dict[str, Any]]:
        environment = self._environment
        # Whoever asks once a second keeps its connection; of others a fork may lie in between.
        with nullcontext(self._polling) if self._polling else internal_session() as session:
            response = session.get(
                f"{environment.config_server}/{environment.service}/{environment.profile}",
                headers={**UNSAMPLED, **self._identity.headers("config-server")},
                timeout=(0.5, 5),
            )
            response.raise_for_status()
            sources: list[dict[str, Any]] = response.json()["propertySources"]
            return sources

    def _apply(self, sources: list[dict[str, Any]], source: str) -> None:
        variables = self._environment.variables
        flat: dict[str, tuple[Any, str]] = merged(
            {
                key: (
                    fill_placeholders(value, variables) if isinstance(value, str) else value,
                    entry["name"],
                )
                for key, value in entry["source"].items()
            }
            for entry in sources
        )
        encrypted = _encrypted(sources, flat)
        for key in encrypted:
            secrecy.remember(str(flat[key][0]))
        values = without_empty_parents({key: value for key, (value, _) in flat.items()})
        try:
            current = self.model.model_validate(to_tree(values))
        except ValidationError as error:
            files = {key: name.removeprefix("file:") for key, (_, name) in flat.items()}
            wrong = validation.describe(error, self.model, files=files)
            raise ConfigurationError(
                secrecy.masked(f"configuration of {self._environment.service}: {wrong}")
            ) from error
        self.live.set(current)
        self.flat, self.encrypted, self.source, self.refused = flat, encrypted, source, ""

    def _keep(self, sources: list[dict[str, Any]]) -> None:
        self._sources = sources
        self._copy.parent.mkdir(parents=True, exist_ok=True)
        draft = self._copy.with_suffix(".new")
        # What config-server has decrypted stands in it: nobody else's to read.
        draft.touch(mode=0o600)
        draft.write_text(json.dumps(sources))
        draft.replace(self._copy)


def _encrypted(
    sources: list[dict[str, Any]], flat: Mapping[str, tuple[Any, str]]
) -> frozenset[str]:
    """Of the winning values those that config-server has decrypted, which tells us alone."""
    named = {(entry["name"], key) for entry in sources for key in entry.get("encrypted", ())}
    return frozenset(key for key, (_, name) in flat.items() if (name, key) in named)

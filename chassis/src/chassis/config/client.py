"""The client of the configuration server: ask, retry, else go on with the last known good copy."""

import json
import logging
import time
from collections.abc import Callable
from typing import Any, Generic, TypeVar

import requests
from pydantic import ValidationError

from chassis.config.settings import Settings, nested
from chassis.core.environment import Environment

log = logging.getLogger(__name__)

S = TypeVar("S", bound=Settings)
FetchSources = Callable[[], list[dict[str, Any]]]

# Long enough for a server that is starting beside us, short enough to notice that there is none.
PATIENCE_WITH_A_COPY = 3.0
PATIENCE_WITHOUT = 60.0
NOTHING = (None, "")


class ConfigurationError(Exception):
    """The process cannot start: no configuration, or one that does not validate."""


class ConfigClient(Generic[S]):
    """Holds the settings of this process: `current` is an immutable snapshot.

    `source` is "config-server" or "last-known-good", and `flat` holds the winning value of each
    key with the name of the property source it came from.  `refused` says why the newest one is
    not in use, if so.
    """

    def __init__(
        self, model: type[S], environment: Environment, ask: FetchSources | None = None
    ) -> None:
        """`ask` gets the property sources, unless the server is to be asked."""
        self._model = model
        self._environment = environment
        self._copy = environment.state / "configuration.json"
        self.current: S = model()
        self.flat: dict[str, tuple[Any, str]] = {}
        self.source = "defaults"
        self.refused = ""
        self._sources: list[dict[str, Any]] = []
        self._ask = ask or self._ask_server

    def load(self) -> S:
        """Ask, patiently, and validate.

        Raises ConfigurationError when nobody answers and no copy is kept, or a value is wrong.
        """
        patience = PATIENCE_WITH_A_COPY if self._copy.exists() else PATIENCE_WITHOUT
        sources = self._ask_patiently(patience)
        if sources is not None:
            self._apply(sources, "config-server")
            self._keep(sources)
        elif self._copy.exists():
            log.warning("config-server does not answer: using the last known good configuration")
            self._apply(json.loads(self._copy.read_text()), "last-known-good")
        else:
            raise ConfigurationError(
                f"{self._environment.config_server} gave no configuration within {patience:.0f} s "
                f"and no earlier copy is kept in {self._copy}. Is config-server running?"
            )
        return self.current

    def refresh(self) -> list[str]:
        """Ask again and apply what came; the keys that changed, in their order.

        Raises ConfigurationError when nobody answers or a value is wrong; the old values stay.
        """
        before = self.flat
        try:
            sources = self._ask()
        except requests.RequestException as error:
            raise ConfigurationError(f"config-server does not answer: {error}") from error
        if sources == self._sources:
            self.refused = ""
            return []
        try:
            self._apply(sources, "config-server")
        except ConfigurationError as error:
            self.refused = str(error)
            raise
        self._keep(sources)
        return sorted(
            key
            for key in before.keys() | self.flat.keys()
            if before.get(key, NOTHING)[0] != self.flat.get(key, NOTHING)[0]
        )

    def _ask_patiently(self, patience: float) -> list[dict[str, Any]] | None:
        deadline, pause = time.monotonic() + patience, 0.05
        while True:
            try:
                return self._ask()
            except requests.RequestException as error:
                if time.monotonic() + pause > deadline:
                    log.error("config-server: %s", error)
                    return None
            time.sleep(pause)
            pause = min(pause * 1.5, 1.0)

    def _ask_server(self) -> list[dict[str, Any]]:
        environment = self._environment
        with requests.Session() as session:
            session.trust_env = False
            answer = session.get(
                f"{environment.config_server}/{environment.service}/{environment.profile}",
                timeout=(0.5, 5),
            )
            answer.raise_for_status()
            sources: list[dict[str, Any]] = answer.json()["propertySources"]
            return sources

    def _apply(self, sources: list[dict[str, Any]], source: str) -> None:
        flat: dict[str, tuple[Any, str]] = {}
        for entry in sources:
            for key, value in entry["source"].items():
                filled = self._environment.fill(value) if isinstance(value, str) else value
                flat.setdefault(key, (filled, entry["name"]))
        try:
            current = self._model.model_validate(nested({k: v for k, (v, _) in flat.items()}))
        except ValidationError as error:
            wrong = "; ".join(
                f"{'.'.join(str(step) for step in each['loc'])}: {each['msg']}"
                for each in error.errors()
            )
            raise ConfigurationError(
                f"configuration of {self._environment.service}: {wrong}"
            ) from error
        self.current, self.flat, self.source, self.refused = current, flat, source, ""

    def _keep(self, sources: list[dict[str, Any]]) -> None:
        self._sources = sources
        self._copy.parent.mkdir(parents=True, exist_ok=True)
        draft = self._copy.with_suffix(".new")
        # What config-server has decrypted stands in it: nobody else's to read.
        draft.touch(mode=0o600)
        draft.write_text(json.dumps(sources))
        draft.replace(self._copy)

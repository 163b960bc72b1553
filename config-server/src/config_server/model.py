"""Queries for configuration, their results, and what a back end is."""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol


class UnreadableFile(Exception):
    """A configuration file that cannot be used; the text names file and, if known, line."""


class UnknownLabel(Exception):
    """A back end with versions has none of that name."""


class BackendUnavailable(Exception):
    """A back end does not answer, so that the configuration is unknown."""


@dataclass(frozen=True, slots=True)
class PropertyValue:
    value: Any
    origin: str = ""  # line:column, both from 1; empty where there are no lines
    is_decrypted: bool = False


@dataclass(frozen=True, slots=True)
class PropertySource:
    """One property source: a file, one document of a file, or what a table holds of it."""

    name: str
    properties: dict[str, PropertyValue]

    def plain(self) -> dict[str, Any]:
        return {key: value.value for key, value in self.properties.items()}

    def decrypted(self) -> list[str]:
        """The keys of the values that are encrypted where they are kept."""
        return [key for key, value in self.properties.items() if value.is_decrypted]


@dataclass(frozen=True, slots=True)
class ConfigQuery:
    """Both names may be lists with commas, of which the last counts most."""

    application: str
    profile: str
    label: str | None = None

    @property
    def applications(self) -> list[str]:
        """The strongest first, and `application`, which all share, last."""
        return _parts(f"application,{self.application}")[::-1]

    @property
    def profiles(self) -> list[str]:
        return _parts(self.profile)

    @property
    def labels(self) -> list[str]:
        """The last one first."""
        return _parts(self.label or "")[::-1]


@dataclass(frozen=True, slots=True)
class ConfigResult:
    """The property sources for a query, the winner first."""

    sources: list[PropertySource]
    version: str | None = None


Stamps = Mapping[str, Hashable]


class Backend(Protocol):
    """Where configuration is kept.  All of it may block: never call it on the event loop."""

    @property
    def location(self) -> str:
        """Where that is, for people; without credentials."""

    def find(self, query: ConfigQuery) -> ConfigResult:
        """Raises UnreadableFile, UnknownLabel or BackendUnavailable."""

    def file(self, query: ConfigQuery, path: str) -> bytes | None:
        """The plain file `path`, of which one for a profile wins; None when there is none."""

    def stamps(self) -> Stamps:
        """A value for each file or application that changes when it does.

        Raises BackendUnavailable.
        """

    def imported(self) -> frozenset[str]:
        """Which of these others have imported; a folder ends in a slash."""

    def problems(self) -> dict[str, str]:
        """Which of these cannot be read, and why; the last good version is served instead."""

    def refresh(self, force: bool = False) -> None:
        """Fetch what is remote, if that is due or `force` is set; raises BackendUnavailable."""


def _parts(names: str) -> list[str]:
    return list(dict.fromkeys(name for name in names.split(",") if name))

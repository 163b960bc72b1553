"""What is asked, what is found, and what a back end is."""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol


class Unreadable(Exception):
    """A configuration file that cannot be used; the text names file and, if known, line."""


class UnknownLabel(Exception):
    """A back end with versions has none of that name."""


class Away(Exception):
    """A back end does not answer, so that nobody can say what the configuration is."""


@dataclass(frozen=True, slots=True)
class Value:
    value: Any
    origin: str = ""  # line:column, both from 1; empty where there are no lines


@dataclass(frozen=True, slots=True)
class Source:
    """One property source: a file, one document of a file, or what a table holds of it."""

    name: str
    properties: dict[str, Value]

    def plain(self) -> dict[str, Any]:
        return {key: each.value for key, each in self.properties.items()}


@dataclass(frozen=True, slots=True)
class Question:
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


@dataclass(frozen=True, slots=True)
class Found:
    """The sources that concern a question, the winner first."""

    sources: list[Source]
    version: str | None = None


Stamps = Mapping[str, Hashable]


class Backend(Protocol):
    """Where configuration is kept.  All of it may block; nobody asks on the event loop."""

    @property
    def location(self) -> str:
        """Where that is, for people; without credentials."""

    def find(self, question: Question) -> Found:
        """Raises Unreadable, UnknownLabel or Away."""

    def file(self, question: Question, path: str) -> bytes | None:
        """The plain file `path`, of which one for a profile wins; None when there is none."""

    def stamps(self) -> Stamps:
        """For each file or application something that changes when it does; raises Away."""

    def problems(self) -> dict[str, str]:
        """Which of these cannot be read, and why; the last good version is served instead."""

    def renew(self, at_once: bool = False) -> None:
        """See what a remote place holds, when that is due or `at_once`; raises Away."""


def _parts(names: str) -> list[str]:
    return list(dict.fromkeys(each for each in names.split(",") if each))

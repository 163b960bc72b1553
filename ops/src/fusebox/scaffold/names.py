"""What a new service is called, and everything in it that is named after it."""

from __future__ import annotations

import keyword
import re
from dataclasses import dataclass
from pathlib import Path

from fusebox.core.errors import Fault
from fusebox.core.topology import BY_NAME

SUFFIX = "-service"
PATTERN = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*-service")
LONGEST = 40


@dataclass(frozen=True)
class ServiceNames:
    """`service` is `gift-card-service`; the rest follows from it."""

    service: str

    @classmethod
    def checked(cls, service: str, clone: Path) -> ServiceNames:
        """Raises Fault for a name that is taken, or that Python and DNS would not take."""
        names = cls(service)
        if not PATTERN.fullmatch(service) or len(service) > LONGEST:
            raise Fault(
                f"{service!r} is no name for a service",
                remedy="use small letters, digits and dashes, at most 40, with -service at the"
                " end: make new SERVICE=review-service",
                exit_code=2,
            )
        if keyword.iskeyword(names.noun):
            raise Fault(
                f"{names.noun!r} is a word of Python's", remedy="use another name.", exit_code=2
            )
        taken = service in BY_NAME or any(
            (clone / path).exists() for path in (names.folder, f"tests/unit/{names.module}")
        )
        if taken:
            raise Fault(
                f"there is a {service} already",
                where=f"see {names.folder}",
                remedy="use another name, or remove that folder and its line in topology.toml.",
                exit_code=2,
            )
        return names

    @property
    def module(self) -> str:
        """gift_card_service"""
        return self.service.replace("-", "_")

    @property
    def slug(self) -> str:
        """gift-card"""
        return self.service.removesuffix(SUFFIX)

    @property
    def folder(self) -> str:
        """services/gift-card"""
        return f"services/{self.slug}"

    @property
    def noun(self) -> str:
        """gift_card"""
        return self.slug.replace("-", "_")

    @property
    def nouns(self) -> str:
        """gift_cards, also the table and, with dashes, the topic"""
        return _plural(self.noun)

    @property
    def class_name(self) -> str:
        """GiftCard"""
        return "".join(word.capitalize() for word in self.slug.split("-"))

    def values(self) -> dict[str, str]:
        """What the templates are filled with."""
        return {
            "service": self.service,
            "module": self.module,
            "slug": self.slug,
            "topic": self.nouns.replace("_", "-"),
            "noun": self.noun,
            "camel": self.class_name[0].lower() + self.class_name[1:],
            "nouns": self.nouns,
            "noun_text": self.slug.replace("-", " "),
            "nouns_text": self.nouns.replace("_", " "),
            "Class": self.class_name,
            "Classes": _plural(self.class_name),
        }


def _plural(noun: str) -> str:
    if re.search("[^aeiou]y$", noun):
        return f"{noun[:-1]}ies"
    return f"{noun}es" if re.search("(s|x|z|ch|sh)$", noun) else f"{noun}s"

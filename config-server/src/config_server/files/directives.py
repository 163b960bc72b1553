"""What a document says of itself: when it counts, and which others it brings along.

The keys of Spring Boot's ConfigDataProperties, which may be spelled in all of its relaxed ways.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from chassis.config.properties import as_text
from config_server.files.profiles import InvalidProfileExpression, accepts
from config_server.model import PropertyValue

ON_PROFILE = "spring.config.activate.onprofile"
ON_CLOUD_PLATFORM = "spring.config.activate.oncloudplatform"
IMPORT = "spring.config.import"
INCLUDE = "spring.profiles.include"
GROUP = "spring.profiles.group."
PLATFORM = "spring.main.cloudplatform"
# A document that a profile chooses cannot choose profiles.
NOT_UNDER_A_PROFILE = (INCLUDE, "spring.profiles.active", "spring.profiles.default")
PLATFORMS = ("none", "cloudfoundry", "heroku", "sap", "nomad", "kubernetes", "azureappservice")
NOT_COMPARED = re.compile(r"[^a-z0-9.\[\]]")
INDEX = re.compile(r"\[\d+\]")

Properties = Mapping[str, PropertyValue]


class InvalidDirective(ValueError):
    """The text says which key, and what to write instead."""


@dataclass(frozen=True, slots=True)
class Directives:
    """`on_profile` are expressions of which one has to hold; none: the document always counts.

    `chooses` is the first key that chooses profiles, as it is spelled.
    """

    on_profile: tuple[str, ...] = ()
    platform: str = ""
    imports: tuple[str, ...] = ()
    includes: tuple[str, ...] = ()
    groups: Mapping[str, tuple[str, ...]] | None = None
    runs_on: str = ""
    chooses: str = ""


def of(properties: Properties) -> Directives:
    """Raises InvalidDirective."""
    named = {canonical(key): key for key in reversed(list(properties)) if _may_direct(key)}
    if not named:
        return Directives()
    _check(named)
    values = {key: as_text(properties[name].value) for key, name in named.items()}
    directives = Directives(
        on_profile=_list(values, ON_PROFILE),
        platform=_platform(values.get(ON_CLOUD_PLATFORM, "")),
        imports=_list(values, IMPORT),
        includes=_list(values, INCLUDE),
        groups=_groups(properties),
        runs_on=_platform(values.get(PLATFORM, "")),
        chooses=next((named[k] for k in named if INDEX.sub("", k) in NOT_UNDER_A_PROFILE), ""),
    )
    _check_expressions(directives.on_profile)
    return directives


def canonical(key: str) -> str:
    """`on-profile`, `onProfile`, `ON_PROFILE`: what is the same for Spring is the same here."""
    return NOT_COMPARED.sub("", key.lower())


def _may_direct(key: str) -> bool:
    return canonical(key).startswith(("spring.config.", "spring.profiles", PLATFORM))


def _check(named: Mapping[str, str]) -> None:
    for key, name in named.items():
        if INDEX.sub("", key) == "spring.profiles":
            raise InvalidDirective(
                f"{name} is no condition any more: write spring.config.activate.on-profile"
            )
        if key == "spring.config.activate":
            raise InvalidDirective(f"{name} takes on-profile and on-cloud-platform below it")


def _list(values: Mapping[str, str], key: str) -> tuple[str, ...]:
    """The elements under `key`, `key[0]` …, of which each may be a list with commas."""
    texts = [values[key]] if key in values else list(_elements(values, key))
    return tuple(part.strip() for text in texts for part in text.split(",") if part.strip())


def _elements(values: Mapping[str, str], key: str) -> Iterator[str]:
    index = 0
    while (element := values.get(f"{key}[{index}]")) is not None:
        yield element
        index += 1


def _groups(properties: Properties) -> dict[str, tuple[str, ...]]:
    groups: dict[str, tuple[str, ...]] = {}
    for key, value in properties.items():
        if canonical(key).startswith(GROUP):
            # The name of a profile, unlike those of the keys before it, counts letter by letter.
            profile = INDEX.sub("", key.split(".", 3)[-1])
            members = tuple(
                part.strip() for part in as_text(value.value).split(",") if part.strip()
            )
            groups[profile] = groups.get(profile, ()) + members
    return groups


def _platform(text: str) -> str:
    platform = re.sub("[^a-z]", "", text.lower())
    if text and platform not in PLATFORMS:
        raise InvalidDirective(f"{text[:100]!r} is no cloud platform that Spring knows")
    return platform


def _check_expressions(expressions: tuple[str, ...]) -> None:
    for expression in expressions:
        if "${" in expression:
            continue  # what it says is known when it is filled in
        try:
            accepts([expression], ())
        except InvalidProfileExpression as error:
            raise InvalidDirective(str(error)) from error

"""Every key that a process reads is declared with its name and its default."""

from typing import Annotated, Any

import pytest
from pydantic import Field

from chassis.config.metadata import Property, properties
from chassis.config.properties import to_tree
from chassis.config.settings import Section, Settings


class Weight(Section):
    share: float = 0.5


class Own(Section):
    max_calls: Annotated[int, Field(ge=1)] = 3
    by_service: dict[str, Weight] = {}
    names: tuple[str, ...] = ()
    rules: list[dict[str, Any]] = []
    sometimes: Weight | None = None
    free: Any = None
    renamed: int = Field(1, alias="defaultZone")


def test_sections_maps_and_lists_become_names() -> None:
    assert dict(properties(Own)) == {
        "max-calls": 3,
        "by-service.*.share": 0.5,
        "names": None,
        "names[*]": None,
        "rules": None,
        "rules[*].*": None,
        "rules[*].*.**": None,
        "sometimes.share": 0.5,
        "free": None,
        "free.**": None,
        "defaultZone": 1,
    }


def test_a_default_is_that_of_the_section_and_not_of_its_class() -> None:
    class Outer(Section):
        own: Own = Own(max_calls=7)

    assert Property("own.max-calls", 7) in properties(Outer)


@pytest.mark.parametrize("entry", list(properties(Settings)), ids=lambda entry: entry.name)
def test_every_declared_key_is_read_under_its_name(entry: Property) -> None:
    """A value that its type cannot have is refused: so the key has been looked at."""
    if isinstance(entry.default, str) or "*" in entry.name:
        return
    nonsense = to_tree({entry.name: ["no", "such", "value"]})

    with pytest.raises(ValueError, match="validation error"):
        Settings.model_validate(nonsense)

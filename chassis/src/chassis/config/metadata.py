"""The keys that a process reads, as its settings declare them (Spring's configuration metadata).

A name of a map's entry is written as `*`, an index as `[*]`, and `**` is whatever stands beneath.
"""

import types
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, NamedTuple, Union, get_args, get_origin

from pydantic import AliasChoices, BaseModel
from pydantic.fields import FieldInfo


class Property(NamedTuple):
    """A key, with its default value when that is a single one."""

    name: str
    default: Any = None


def properties(model: type[BaseModel], default: Any = None, prefix: str = "") -> Iterator[Property]:
    """All that `model` reads; `default` is the instance of it that is in force by itself."""
    for name, field in model.model_fields.items():
        value = getattr(
            default, name, field.get_default(call_default_factory=True, validated_data={})
        )
        for key in _keys(name, field):
            yield from _beneath(field.annotation, value, f"{prefix}{key}")


def _keys(name: str, field: FieldInfo) -> list[str]:
    alias = field.validation_alias or field.alias
    if isinstance(alias, AliasChoices):
        return [choice for choice in alias.choices if isinstance(choice, str)]
    return [alias if isinstance(alias, str) else name]


def _beneath(hint: Any, default: Any, key: str) -> Iterator[Property]:
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Annotated:
        yield from _beneath(arguments[0], default, key)
    elif origin in (Union, types.UnionType):
        for argument in arguments:
            if argument is not type(None):
                yield from _beneath(argument, default, key)
    elif isinstance(hint, type) and issubclass(hint, BaseModel):
        yield from properties(hint, default, f"{key}.")
    elif origin in (dict, Mapping):
        yield from _beneath(arguments[1], None, f"{key}.*")
    elif origin in (list, tuple, Sequence):
        yield Property(key)
        yield from _beneath(arguments[0], None, f"{key}[*]")
    else:
        scalar = default if isinstance(default, bool | int | float | str) else None
        yield Property(key, scalar)
        if hint is Any:
            yield Property(f"{key}.**")

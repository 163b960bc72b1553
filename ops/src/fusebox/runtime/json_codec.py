"""Values as JSON and back: a function's type hints say what its arguments and its result were."""

from __future__ import annotations

import base64
import types
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from functools import cache
from typing import Any, Union, get_args, get_origin, get_type_hints

Json = Any

hints_of = cache(get_type_hints)


def encoded(value: object) -> Json:
    """`value` as JSON has it; raises TypeError for what JSON cannot say."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: encoded(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): encoded(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [encoded(item) for item in value]
    raise TypeError(f"{type(value).__name__} has no form in JSON")


def decoded(hint: Any, value: Json) -> Any:
    """`value` as the type `hint` says; what has no type stays as JSON gives it."""
    if value is None or hint is Any:
        return value
    if hint is bytes:
        return base64.b64decode(value)
    if isinstance(hint, type) and is_dataclass(hint):
        hints = hints_of(hint)
        return hint(**{name: decoded(hints[name], item) for name, item in value.items()})
    return _decoded_generic(get_origin(hint), get_args(hint), value)


def _decoded_generic(origin: Any, arguments: tuple[Any, ...], value: Json) -> Any:
    if origin in (Union, types.UnionType):
        [inner] = [argument for argument in arguments if argument is not type(None)]
        return decoded(inner, value)
    if origin in (dict, Mapping):
        key_type, item_type = arguments
        return {key_type(key): decoded(item_type, item) for key, item in value.items()}
    if origin is tuple and arguments[-1] is not Ellipsis:
        return tuple(decoded(hint, item) for hint, item in zip(arguments, value, strict=True))
    if origin in (list, tuple, set, frozenset, Sequence):
        collect: Callable[[list[Any]], Any] = list if origin is Sequence else origin
        return collect([decoded(arguments[0], item) for item in value])
    return value

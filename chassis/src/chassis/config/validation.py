"""What is wrong with a configuration, in words: each key with the reason."""

import difflib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from chassis.config.settings import aliases


def describe(
    error: ValidationError,
    model: type[BaseModel],
    root: str = "",
    files: Mapping[str, str] | None = None,
) -> str:
    """`a.b: reason; a.c: is unknown (did you mean a.d?)`; `root` stands before every key.

    `files` says where each key is written, and is named behind the reason.
    """
    return "; ".join(
        _issue(model, [str(step) for step in issue["loc"]], issue, root)
        + _file_of(root + ".".join(map(str, issue["loc"])), files or {})
        for issue in error.errors()
    )


def _file_of(key: str, files: Mapping[str, str]) -> str:
    written = [name for name in files if name == key or name.startswith((f"{key}.", f"{key}["))]
    return f" (in {files[min(written)]})" if written else ""


def _issue(model: type[BaseModel], path: Sequence[str], issue: Any, root: str) -> str:
    key = root + ".".join(path)
    if issue["type"] == "extra_forbidden":
        known = _known(model, path[:-1])
        near = difflib.get_close_matches(path[-1], known, 1)
        parent = key.removesuffix(path[-1])
        hint = f"did you mean {parent}{near[0]}?" if near else f"known: {', '.join(known)}"
        return f"{key}: is unknown ({hint})"
    return f"{key}: {issue['msg'].removeprefix('Value error, ')}"


def _known(model: type[BaseModel], path: Sequence[str]) -> list[str]:
    """The keys of the section at `path`, as far as it is one."""
    sections = [model]
    for step in path:
        sections = [
            section
            for parent in sections
            for field in parent.model_fields.values()
            if field.alias == step
            for section in _models(field.annotation)
        ] or sections
    return [key for section in sections for key in aliases(section)]


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation):
        yield from _models(part)

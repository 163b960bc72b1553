"""Filters that change the path for the service: StripPrefix, PrefixPath, RewritePath, SetPath."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from gateway.routing.syntax import java_regex, patterns
from gateway.routing.syntax.arguments import Arguments


@dataclass(frozen=True, slots=True)
class PathChange:
    """The path for the service, from the path so far and the variables of the route."""

    apply: Callable[[str, Mapping[str, str]], str]


def strip_prefix(arguments: Arguments) -> PathChange:
    parts = arguments.number("parts", "1")

    def apply(path: str, _: Mapping[str, str]) -> str:
        segments = path.split("/", parts + 1)
        return "/" + (segments[-1] if len(segments) > parts + 1 else "")

    return PathChange(apply if parts else lambda path, _: path)


def absolute(text: str) -> str:
    if not text.startswith("/"):
        raise ValueError("a path begins with /")
    return patterns.check_template(text)


def prefix_path(arguments: Arguments) -> PathChange:
    prefix = arguments.read("prefix", absolute).rstrip("/")
    return PathChange(lambda path, variables: patterns.expand(prefix, variables) + path)


def set_path(arguments: Arguments) -> PathChange:
    template = arguments.read("template", absolute)
    return PathChange(lambda _, variables: patterns.expand(template, variables))


def rewrite_path(arguments: Arguments) -> PathChange:
    pattern = arguments.read("regexp", java_regex.compiled)
    by = arguments.read("replacement", lambda text: patterns.replacement(text, pattern), "")

    def apply(path: str, _: Mapping[str, str]) -> str:
        changed = pattern.sub(by, path)
        return changed if changed.startswith("/") else "/" + changed

    return PathChange(apply)

"""The patterns of Spring's predicates: paths (PathPattern), hosts (AntPathMatcher), templates."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from gateway.routing.syntax import java_regex

NAME = r"[A-Za-z_][\w-]*"
VARIABLE = re.compile(rf"\{{({NAME})\}}")
CAPTURE = re.compile(rf"\{{(\*?)({NAME})(?::(.+))?\}}", re.DOTALL)
JAVA_REFERENCE = re.compile(r"\\(.)|\$(?:\{(\w+)\}|(\d+))|([$\\])", re.DOTALL)
HOST = re.compile(r"[A-Za-z0-9.*?:\[\]_-]*")
CLOSING = {"{": "}", "[": "]"}


@dataclass(frozen=True, slots=True)
class TemplatePattern:
    """A pattern with URI template variables: `whole` finds what `names` are the names of.

    `checks` are the regular expressions that some of them must fit, which may hold variables of
    their own: they see one segment, and never what is between two.
    """

    whole: re.Pattern[str]
    names: tuple[str | None, ...] = ()
    checks: tuple[tuple[int, re.Pattern[str], tuple[str, ...]], ...] = ()

    @property
    def takes(self) -> Callable[[str], object]:
        """The quickest way to ask whether it fits."""
        return self.variables_of if self.checks else self.whole.fullmatch

    @property
    def has_variables(self) -> bool:
        return any(self.names) or any(names for _, _, names in self.checks)

    def variables_of(self, text: str) -> dict[str, str] | None:
        """The variables; None when `text` does not fit, so an empty dictionary says that it does.

        Never empty for one with checks.
        """
        match = self.whole.fullmatch(text)
        if match is None:
            return None
        groups = match.groups()
        variables = {name: groups[i] for i, name in enumerate(self.names) if name}
        for i, pattern, names in self.checks:
            inner = pattern.fullmatch(groups[i])
            if inner is None:
                return None
            variables.update(zip(names, inner.groups(), strict=True))
        return variables


class _PatternBuilder:
    """Collects the parts of a pattern.  `any_of` is one character of a segment."""

    def __init__(self, pattern: str, any_of: str) -> None:
        self._pattern = pattern
        self._any_of = any_of
        self._names: list[str | None] = []
        self._checks: list[tuple[int, re.Pattern[str], tuple[str, ...]]] = []

    def variable(self, name: str, text: str) -> str:
        self._check_new(name)
        self._names.append(name)
        return f"({text})"

    def segment(self, text: str) -> str:
        """One with `*`, `?`, `{name}` or `{name:regex}` somewhere in it."""
        capture = CAPTURE.fullmatch(text) if text.count("{") == 1 else None
        if capture and not capture[1] and capture[3] is None:
            return self.variable(capture[2], f"{self._any_of}+")
        parts, names = [], []
        for literal, inner in _captures(text):
            parts.append(_wildcards(literal, self._any_of))
            if inner is not None:
                name, part = self._capture(inner)
                names.append(name)
                parts.append(part)
        if not names:
            return "".join(parts)
        pattern = _compiled("".join(parts), re.ASCII | re.DOTALL)
        if pattern.groups != len(names):
            raise ValueError(f"{text!r}: write (?:…) for a group within a variable's expression")
        self._checks.append((len(self._names), pattern, tuple(names)))
        self._names.append(None)
        return f"({self._any_of}+)"

    def _capture(self, text: str) -> tuple[str, str]:
        capture = CAPTURE.fullmatch(text)
        if capture is None or capture[1]:
            raise ValueError(f"{text!r} is not {{name}} or {{name:regular expression}}")
        self._check_new(capture[2])
        expression = capture[3]
        if expression is None:
            return capture[2], f"({self._any_of}*)"
        return capture[2], f"({java_regex.compiled(expression).pattern})"

    def _check_new(self, name: str) -> None:
        known = {*self._names, *(inner for _, _, names in self._checks for inner in names)}
        if name in known:
            raise ValueError(f"{self._pattern!r}: there is another {{{name}}}")

    def built(self, text: str, flags: int = 0) -> TemplatePattern:
        return TemplatePattern(_compiled(text, flags), tuple(self._names), tuple(self._checks))


def _compiled(text: str, flags: int) -> re.Pattern[str]:
    try:
        return re.compile(text, flags)
    except re.error as error:
        raise ValueError(f"{text!r} is not a regular expression: {error}") from error


def path(pattern: str, or_slash: bool = True) -> TemplatePattern:
    """Spring's PathPattern, by segment; `/**` and `/{*name}` at the end are all below as well.

    With `or_slash` a path may end in one more slash than its pattern.
    """
    if not pattern.startswith("/"):
        raise ValueError("a path begins with /")
    builder = _PatternBuilder(pattern, "[^/]")
    *firsts, last = split(pattern, "/")
    rest = "/?" if or_slash and last else ""
    parts = [_path_segment(builder, segment) for segment in firsts]
    capture = CAPTURE.fullmatch(last)
    if last == "**":
        rest = "(?:/.*)?"
    elif capture and capture[1] and capture[3] is None:
        rest = builder.variable(capture[2], "(?:/.*)?")
    else:
        parts.append(_path_segment(builder, last))
    return builder.built("/".join(parts) + rest, re.DOTALL)


def _path_segment(builder: _PatternBuilder, text: str) -> str:
    if text == "*":
        return "[^/]+"
    literals = "".join(literal for literal, _ in _captures(text))
    if "**" in literals or text.startswith("{*"):
        raise ValueError("only whole segments can be ** or {*name}, and they stand at the end")
    return builder.segment(text)


def first_segment(pattern: str) -> str | None:
    """What every path of `pattern` begins with, or None when that differs."""
    first = pattern.split("/", 2)[1]
    return None if any(sign in first for sign in "*{?") else first


def host(pattern: str) -> TemplatePattern:
    """`**.example.org` and `{sub}.example.org` by label.

    A port is looked at when the pattern has one.
    """
    literals = "".join(literal for literal, _ in _captures(pattern))
    if not pattern or not HOST.fullmatch(literals):
        raise ValueError(f"{pattern!r} is not a host such as **.example.org or {{sub}}.example.org")
    builder = _PatternBuilder(pattern, "[^.:]")
    text = ""
    labels = split(pattern, ".")
    for i, label in enumerate(labels):
        if label == "**" and len(labels) > 1:
            # It may be no label at all, and then without its dot.
            is_last = i + 1 == len(labels)
            text += r"(?:\.[^.:]+)*" if is_last else (r"\." if i else "") + r"(?:[^.:]+\.)*"
            continue
        text += r"\." if i and labels[i - 1] != "**" else ""
        text += "[^:]*" if label == "**" else builder.segment(label)
    return builder.built(text + ("" if ":" in literals else r"(?::\d+)?"), re.IGNORECASE)


def split(text: str, separator: str, most: int = -1) -> list[str]:
    """`text` at each `separator` that is not within braces or brackets, `most` times at the most.

    Within brackets a brace is a character like any other, and what does not close opens nothing.
    """
    parts: list[str] = []
    begin, closing, i = 0, "", 0
    while i < len(text):
        character = text[i]
        if character == "\\":
            i += 1
        elif closing and character == closing[-1]:
            closing = closing[:-1]
        elif character in CLOSING and closing[-1:] != "]" and CLOSING[character] in text[i:]:
            closing += CLOSING[character]
        elif character == separator and not closing and len(parts) != most:
            parts.append(text[begin:i])
            begin = i + 1
        i += 1
    return [*parts, text[begin:]]


def _captures(text: str) -> Iterator[tuple[str, str | None]]:
    """Each literal part, and the `{…}` after it, if there is one."""
    at = 0
    while (begin := text.find("{", at)) >= 0:
        depth = end = 0
        for brace in re.finditer(r"\\.|[{}]", text[begin:]):
            depth += {"{": 1, "}": -1}.get(brace[0], 0)
            if depth == 0:
                end = begin + brace.end()
                break
        if not end:
            raise ValueError(f"{text!r}: a {{ is not closed")
        yield text[at:begin], text[begin:end]
        at = end
    if "}" in text[at:]:
        raise ValueError(f"{text!r}: a }} closes nothing")
    yield text[at:], None


def _wildcards(text: str, any_of: str) -> str:
    escaped = re.escape(text)
    return escaped.replace(r"\?", any_of).replace(r"\*", f"{any_of}*")


def replacement(text: str, pattern: re.Pattern[str]) -> str:
    """Java's `$1` and `${name}` as Python's.

    `$\\{name}`, too: in Spring's YAML, `${` would begin a placeholder.
    """
    converted = JAVA_REFERENCE.sub(_reference, text.replace("$\\", "$"))
    try:
        re.compile(pattern.pattern + "|", pattern.flags).sub(converted, "")
    except (re.error, IndexError) as error:
        raise ValueError(f"{text!r} does not fit {pattern.pattern!r}: {error}") from error
    return converted


def _reference(match: re.Match[str]) -> str:
    escaped, name, number, alone = match.groups()
    if alone:
        raise ValueError(f"{match.string!r}: {alone!r} at the end, or before what it cannot be")
    if escaped:
        return r"\\" if escaped == "\\" else escaped
    return rf"\g<{name or number}>"


def check_template(text: str) -> str:
    """`text`, in which only whole names stand in braces."""
    if re.search(r"[{}]", VARIABLE.sub("", text)):
        raise ValueError(f"{text!r}: only names of the path's segments stand in braces")
    return text


def expand(template: str, variables: Mapping[str, str]) -> str:
    """`template` with each `{name}` filled in; a name that is not there leaves nothing."""
    if "{" not in template:
        return template
    return VARIABLE.sub(lambda name: variables.get(name[1], ""), template)

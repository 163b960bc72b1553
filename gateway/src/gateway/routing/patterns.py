"""The patterns of the vocabulary as Python's: paths, hosts, and Java's regular expressions."""

import re
from collections.abc import Mapping

SEGMENT = re.compile(r"\{([A-Za-z_]\w*)\}")
JAVA_GROUP = re.compile(r"\(\?<(?![=!])")
JAVA_REFERENCE = re.compile(r"\\(.)|\$(?:\{(\w+)\}|(\d+))|([$\\])", re.DOTALL)


def path(pattern: str, or_slash: bool = True) -> re.Pattern[str]:
    """`/a/{any}/*` by segment, and `/**` at the end for the path itself and all below it.

    With `or_slash` a path may end in one more slash than its pattern.
    """
    if not pattern.startswith("/"):
        raise ValueError("a path begins with /")
    fixed, rest = pattern, "/?" if or_slash and not pattern.endswith("/") else ""
    if pattern.endswith("/**"):
        fixed, rest = pattern[:-3], "(?:/.*)?"
    return compiled("/".join(_segment(segment) for segment in fixed.split("/")) + rest)


def first_segment(pattern: str) -> str | None:
    """What every path of `pattern` begins with, or None when that differs."""
    first = pattern.split("/", 2)[1]
    return None if "*" in first or "{" in first else first


def _segment(text: str) -> str:
    if text == "*":
        return "[^/]+"
    if name := SEGMENT.fullmatch(text):
        return f"(?P<{name[1]}>[^/]+)"
    if re.search(r"[*?{},]", text):
        raise ValueError("only whole segments can be * or {name}, and ** stands at the end")
    return re.escape(text)


def host(pattern: str) -> re.Pattern[str]:
    """`**.example.org` by label; without a port in the pattern, the host's is not looked at."""
    if not re.fullmatch(r"[A-Za-z0-9.*?:\[\]_-]+", pattern):
        raise ValueError(f"{pattern!r} is not a host such as **.example.org")
    labels = re.escape(pattern).replace(r"\?", "[^.:]")
    labels = labels.replace(r"\*\*\.", r"(?:[^.:]+\.)*").replace(r"\.\*\*", r"(?:\.[^.:]+)*")
    labels = labels.replace(r"\*\*", "[^:]*").replace(r"\*", "[^.:]*")
    port = "" if ":" in pattern else r"(?::\d+)?"
    return re.compile(labels + port, re.IGNORECASE)


def compiled(text: str) -> re.Pattern[str]:
    try:
        return re.compile(text)
    except re.error as error:
        raise ValueError(f"{text!r} is not a regular expression: {error}") from error


def java(text: str) -> re.Pattern[str]:
    """A regular expression as Java writes it: `(?<name>…)` for a group with a name."""
    return compiled(JAVA_GROUP.sub("(?P<", text))


def replacement(text: str, pattern: re.Pattern[str]) -> str:
    """Java's `$1` and `${name}` as Python's.

    `$\\{name}`, too: in Spring's YAML, `${` would begin a placeholder.
    """
    converted = JAVA_REFERENCE.sub(_reference, text.replace("$\\", "$"))
    try:
        re.compile(pattern.pattern + "|").sub(converted, "")
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
    if re.search(r"[{}]", SEGMENT.sub("", text)):
        raise ValueError(f"{text!r}: only names of the path's segments stand in braces")
    return text


def expand(template: str, variables: Mapping[str, str]) -> str:
    """`template` with each `{name}` filled in; a name that the path lacks leaves nothing."""
    if "{" not in template:
        return template
    return SEGMENT.sub(lambda name: variables.get(name[1], ""), template)

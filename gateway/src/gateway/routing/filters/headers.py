"""Filters that change headers of the request or of the response."""

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple, TypeAlias

from gateway.routing.request_view import RequestView
from gateway.routing.syntax import java_regex, patterns
from gateway.routing.syntax.arguments import Arguments

Pair: TypeAlias = tuple[str, str]
Pairs: TypeAlias = Iterable[Pair]
Side: TypeAlias = Literal["request", "response"]

TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
DEDUPE = ("RETAIN_FIRST", "RETAIN_LAST", "RETAIN_UNIQUE")
STRIP_VERSION = ("AS_IN_REQUEST", "NEVER_STRIP", "ALWAYS_STRIP")
VERSIONED = re.compile(r"/v\d+/.*", re.DOTALL)
# What SecureHeaders adds, by the name of the argument that puts another value in its place.
SECURE_HEADERS = {
    "xssProtectionHeader": ("X-Xss-Protection", "1 ; mode=block"),
    "strictTransportSecurity": ("Strict-Transport-Security", "max-age=631138519"),
    "frameOptions": ("X-Frame-Options", "DENY"),
    "contentTypeOptions": ("X-Content-Type-Options", "nosniff"),
    "referrerPolicy": ("Referrer-Policy", "no-referrer"),
    "contentSecurityPolicy": (
        "Content-Security-Policy",
        "default-src 'self' https:; font-src 'self' https: data:; img-src 'self' https: data:; "
        "object-src 'none'; script-src https:; style-src 'self' https: 'unsafe-inline'",
    ),
    "downloadOptions": ("X-Download-Options", "noopen"),
    "permittedCrossDomainPolicies": ("X-Permitted-Cross-Domain-Policies", "none"),
}


class EditContext(NamedTuple):
    """The request whose headers, or whose answer's, are edited, and the route's variables."""

    view: RequestView
    variables: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class HeaderEdit:
    """Duplicates and order of all other headers stay."""

    side: Side
    apply: Callable[[list[Pair], EditContext], list[Pair]]


def edited(edits: Collection[HeaderEdit], pairs: Pairs, context: EditContext) -> list[Pair]:
    """The headers with `edits` made in their order."""
    result = list(pairs)
    for edit in edits:
        result = edit.apply(result, context)
    return result


def header_name(text: str) -> str:
    if not TOKEN.fullmatch(text):
        raise ValueError(f"{text!r} is not the name of a header")
    return text


def header_value(text: str) -> str:
    if not text.isprintable():
        raise ValueError(f"{text!r} cannot stand in a header")
    return patterns.check_template(text)


def adding(side: Side) -> Callable[[Arguments], HeaderEdit]:
    def make(arguments: Arguments) -> HeaderEdit:
        name, value = arguments.read("name", header_name), arguments.read("value", header_value)
        return HeaderEdit(
            side, lambda pairs, context: [*pairs, (name, patterns.expand(value, context.variables))]
        )

    return make


def setting(side: Side) -> Callable[[Arguments], HeaderEdit]:
    def make(arguments: Arguments) -> HeaderEdit:
        name, value = arguments.read("name", header_name), arguments.read("value", header_value)
        return HeaderEdit(
            side,
            lambda pairs, context: [
                *_without(pairs, name),
                (name, patterns.expand(value, context.variables)),
            ],
        )

    return make


def removing(side: Side) -> Callable[[Arguments], HeaderEdit]:
    def make(arguments: Arguments) -> HeaderEdit:
        name = arguments.read("name", header_name)
        return HeaderEdit(side, lambda pairs, _: _without(pairs, name))

    return make


def rewriting(side: Side) -> Callable[[Arguments], HeaderEdit]:
    """In every line of the header, what fits the expression is replaced."""

    def make(arguments: Arguments) -> HeaderEdit:
        name = arguments.read("name", header_name).lower()
        pattern = arguments.read("regexp", java_regex.compiled)
        by = arguments.read("replacement", lambda text: patterns.replacement(text, pattern), "")
        return HeaderEdit(
            side,
            lambda pairs, _: [
                (key, pattern.sub(by, value) if key.lower() == name else value)
                for key, value in pairs
            ],
        )

    return make


def adding_if_not_present(side: Side) -> Callable[[Arguments], HeaderEdit]:
    """Spring's `name:value` pairs; a blank header is as good as none."""

    def make(arguments: Arguments) -> HeaderEdit:
        added = arguments.read_all("keyValues", _key_value)

        def apply(pairs: list[Pair], context: EditContext) -> list[Pair]:
            present = {name.lower() for name, value in pairs if value.strip()}
            missing = [pair for pair in added if pair[0].lower() not in present]
            absent = {name.lower() for name, _ in missing}
            others = [pair for pair in pairs if pair[0].lower() not in absent]
            return others + [(name, patterns.expand(v, context.variables)) for name, v in missing]

        return HeaderEdit(side, apply)

    return make


def _key_value(text: str) -> Pair:
    name, colon, value = text.partition(":")
    if not colon:
        raise ValueError(f"{text!r} is not name:value")
    return header_name(name.strip()), header_value(value.strip())


def map_request_header(arguments: Arguments) -> HeaderEdit:
    """The values of one header are added under another name; the first keeps them."""
    source = arguments.read("fromHeader", header_name).lower()
    target = arguments.read("toHeader", header_name)
    return HeaderEdit(
        "request",
        lambda pairs, _: [
            *pairs,
            *((target, value) for name, value in pairs if name.lower() == source),
        ],
    )


def preserve_host_header(_: Arguments) -> HeaderEdit:
    """The service sees the Host that the client has sent, not the instance's."""
    return HeaderEdit(
        "request", lambda pairs, context: [*_without(pairs, "Host"), ("Host", context.view.host)]
    )


def set_request_host_header(arguments: Arguments) -> HeaderEdit:
    host = arguments.read("host", _host)
    return HeaderEdit(
        "request",
        lambda pairs, context: [
            *_without(pairs, "Host"),
            ("Host", patterns.expand(host, context.variables)),
        ],
    )


def _host(text: str) -> str:
    if not text.isascii() or not text.isprintable() or any(sign in text for sign in ' /?#@,"'):
        raise ValueError(f"{text!r} is not a host")
    return patterns.check_template(text)


def dedupe_response_header(arguments: Arguments) -> HeaderEdit:
    names = [header_name(name).lower() for name in arguments.text("name").split()]
    strategy = arguments.one_of("strategy", DEDUPE, "RETAIN_FIRST")

    def apply(pairs: list[Pair], _: EditContext) -> list[Pair]:
        for name in names:
            positions = [i for i, pair in enumerate(pairs) if pair[0].lower() == name]
            dropped = _dropped(pairs, positions, strategy)
            pairs = [pair for i, pair in enumerate(pairs) if i not in dropped]
        return pairs

    return HeaderEdit("response", apply)


def _dropped(pairs: list[Pair], positions: list[int], strategy: str) -> set[int]:
    if strategy == "RETAIN_FIRST":
        return set(positions[1:])
    if strategy == "RETAIN_LAST":
        return set(positions[:-1])
    firsts: dict[str, int] = {}
    for i in positions:
        firsts.setdefault(pairs[i][1], i)
    return set(positions) - set(firsts.values())


def rewrite_location(arguments: Arguments) -> HeaderEdit:
    """The host of Location becomes the one that the client asked, and a `/v1` may be taken off."""
    strip = arguments.one_of("stripVersion", STRIP_VERSION, "AS_IN_REQUEST")
    name = arguments.read("locationHeaderName", header_name, "Location").lower()
    host = arguments.read("hostValue", header_value, "")
    protocols = arguments.read("protocols", java_regex.compiled, "https?|ftps?").pattern
    authority = re.compile(rf"((?:{protocols})://)[^:/]+(?::\d+)?(?=/)", re.ASCII)
    with_version = re.compile(rf"((?:{protocols})://)[^:/]+(?::\d+)?(?:/v\d+)?(?=/)", re.ASCII)

    def apply(pairs: list[Pair], context: EditContext) -> list[Pair]:
        shown, path = host or context.view.host, context.view.path
        strips = strip == "ALWAYS_STRIP" or (
            strip == "AS_IN_REQUEST" and not VERSIONED.fullmatch(path)
        )
        pattern = with_version if strips else authority
        if not shown:
            return pairs
        return [
            (key, _with_host(pattern, value, shown) if key.lower() == name else value)
            for key, value in pairs
        ]

    return HeaderEdit("response", apply)


def _with_host(pattern: re.Pattern[str], location: str, host: str) -> str:
    match = pattern.match(location)
    return location if match is None else f"{match[1]}{host}{location[match.end() :]}"


def secure_headers(arguments: Arguments) -> HeaderEdit:
    listed = arguments.texts("disable") if "disable" in arguments else ()
    disabled = {name.lower() for name in listed}
    known = {name.lower() for name, _ in SECURE_HEADERS.values()}
    for name in disabled:
        if name not in known:
            raise ValueError(f"disable: {name!r} is unknown (known: {', '.join(sorted(known))})")
    added = [
        (name, arguments.read(argument, header_value, value))
        for argument, (name, value) in SECURE_HEADERS.items()
        if name.lower() not in disabled
    ]

    def apply(pairs: list[Pair], _: EditContext) -> list[Pair]:
        present = {name.lower() for name, _ in pairs}
        return pairs + [pair for pair in added if pair[0].lower() not in present]

    return HeaderEdit("response", apply)


def _without(pairs: list[Pair], name: str) -> list[Pair]:
    lower = name.lower()
    return [pair for pair in pairs if pair[0].lower() != lower]

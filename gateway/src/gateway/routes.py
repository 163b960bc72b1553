"""Which request goes to which service, and by which path, in the words of Spring Cloud Gateway."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

T = TypeVar("T")

KEYS = {"id", "uri", "predicates", "filters", "order"}
BALANCED = "lb://"
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


@dataclass(frozen=True, slots=True)
class Route:
    """One way in.  `template` stands for all its paths in traces and metrics."""

    id: str
    service: str
    predicates: tuple[str, ...]
    filters: tuple[str, ...]
    order: int
    pattern: re.Pattern[str]
    template: str
    strip: int
    # Made once: a request only looks its span's name up.
    names: Mapping[str, str]

    def inner_path(self, path: str) -> str:
        """`path` as the service knows it, percent-encoding untouched."""
        if not self.strip:
            return path
        parts = path.split("/", self.strip + 1)
        return "/" + (parts[-1] if len(parts) > self.strip + 1 else "")

    def prefix(self, path: str) -> str:
        """What `inner_path` takes off."""
        return "/".join(path.split("/")[: self.strip + 1])

    def name_of(self, method: str) -> str:
        """The span's name: lower case, and without ids."""
        return self.names.get(method) or span_name(method, self.template)

    def described(self) -> dict[str, Any]:
        """Its entry on the page /actuator/gateway/routes."""
        return {
            "route_id": self.id,
            "predicate": ", ".join(self.predicates),
            "filters": list(self.filters),
            "uri": BALANCED + self.service,
            "order": self.order,
        }


def span_name(method: str, template: str) -> str:
    return f"{method} {template}".lower()


def find(routes: Sequence[Route], path: str) -> Route | None:
    """The first route that takes `path`, as it came: `%2F` does not end a segment."""
    for route in routes:
        if route.pattern.fullmatch(path):
            return route
    return None


def parse(given: Iterable[Mapping[str, Any]]) -> tuple[Route, ...]:
    """The routes, first come first asked.  ValueError names the route and the key that is wrong."""
    routes = [_route(number, entry) for number, entry in enumerate(given)]
    ids = [route.id for route in routes]
    for each in ids:
        if ids.count(each) > 1:
            raise ValueError(f"route {each}: id: there is another route of this name")
    return tuple(sorted(routes, key=lambda route: route.order))


def _route(number: int, entry: Mapping[str, Any]) -> Route:
    name = entry.get("id")
    if not isinstance(name, str) or not name:
        raise ValueError(f"route {number}: id: is missing")
    for key in entry.keys() - KEYS:
        raise ValueError(f"route {name}: {key}: unknown key (known: {', '.join(sorted(KEYS))})")
    predicates, filters = _texts(name, entry, "predicates"), _texts(name, entry, "filters")
    patterns = _parsed(name, "predicates", predicates, PREDICATES)
    if len(patterns) != 1:
        raise ValueError(f"route {name}: predicates: exactly one Path is needed")
    template = _argument(predicates[0])
    return Route(
        id=name,
        service=_service(name, entry),
        predicates=predicates,
        filters=filters,
        order=_order(name, entry),
        pattern=patterns[0],
        template=template,
        strip=sum(_parsed(name, "filters", filters, FILTERS)),
        names={method: span_name(method, template) for method in METHODS},
    )


def _service(name: str, entry: Mapping[str, Any]) -> str:
    uri = entry.get("uri")
    if not isinstance(uri, str) or not re.fullmatch(r"lb://[A-Za-z0-9._-]+", uri):
        raise ValueError(f"route {name}: uri: {uri!r} is not lb:// and the name of a service")
    return uri.removeprefix(BALANCED).lower()


def _order(name: str, entry: Mapping[str, Any]) -> int:
    order = entry.get("order", 0)
    if not isinstance(order, int):
        raise ValueError(f"route {name}: order: {order!r} is not a whole number")
    return order


def _texts(name: str, entry: Mapping[str, Any], key: str) -> tuple[str, ...]:
    found = entry.get(key) or ()
    if isinstance(found, str) or not all(isinstance(each, str) for each in found):
        raise ValueError(f"route {name}: {key}: is not a list of texts such as Name=value")
    return tuple(found)


def _parsed(
    name: str, key: str, texts: tuple[str, ...], known: Mapping[str, Callable[[str], T]]
) -> list[T]:
    return [_parse_one(f"route {name}: {key}[{i}]", text, known) for i, text in enumerate(texts)]


def _parse_one(where: str, text: str, known: Mapping[str, Callable[[str], T]]) -> T:
    kind = text.partition("=")[0].strip()
    if kind not in known:
        raise ValueError(f"{where}: {kind!r} is unknown (known: {', '.join(known)})")
    try:
        return known[kind](_argument(text))
    except ValueError as error:
        raise ValueError(f"{where}: {text!r}: {error}") from error


def _argument(text: str) -> str:
    return text.partition("=")[2].strip()


def _path(pattern: str) -> re.Pattern[str]:
    """`/a/{any}/*` by segment, and `/**` at the end for the path itself and all below it."""
    if not pattern.startswith("/"):
        raise ValueError("a path begins with /")
    fixed, rest = (pattern[:-3], "(?:/.*)?") if pattern.endswith("/**") else (pattern, "")
    return re.compile("/".join(_segment(each) for each in fixed.split("/")) + rest)


def _segment(text: str) -> str:
    if text == "*" or re.fullmatch(r"\{\w+\}", text):
        return "[^/]+"
    if re.search(r"[*?{},]", text):
        raise ValueError("only whole segments can be * or {name}, and ** stands at the end")
    return re.escape(text)


def _strip_prefix(parts: str) -> int:
    if not re.fullmatch(r"[0-9]{1,2}", parts):
        raise ValueError("the number of segments to take off is needed")
    return int(parts)


PREDICATES: dict[str, Callable[[str], re.Pattern[str]]] = {"Path": _path}
FILTERS: dict[str, Callable[[str], int]] = {"StripPrefix": _strip_prefix}

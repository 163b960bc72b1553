"""Cross-origin requests of browsers, as Spring's CorsConfiguration and DefaultCorsProcessor."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, NamedTuple
from urllib.parse import urlsplit

from multidict import CIMultiDict
from pydantic import BeforeValidator, Field, ValidationError, model_validator

from chassis.config import validation
from chassis.config.settings import StrictSection, relaxed
from chassis.core.errors import Forbidden
from gateway.http.messages import Response, Send
from gateway.routing.request_view import RequestView
from gateway.routing.route import Route
from gateway.routing.syntax import patterns
from gateway.routing.syntax.arguments import seconds
from gateway.routing.syntax.definitions import as_text
from gateway.routing.syntax.patterns import TemplatePattern
from gateway.security.path_normalization import other_reading

ALL = "*"
METHODS_BY_DEFAULT = ("GET", "HEAD")
VARY = ("Origin", "Access-Control-Request-Method", "Access-Control-Request-Headers")
PORTS = re.compile(r"(.*):\[(\*|\d+(?:,\d+)*)\]")


def _listed(given: Any) -> list[str]:
    """A list, or a text with commas outside of brackets."""
    return [part.strip() for part in patterns.split(as_text(given), ",") if part.strip()]


def _seconds(given: Any) -> float:
    return seconds(as_text(given))


Texts = Annotated[tuple[str, ...], BeforeValidator(_listed)]


class CorsConfiguration(StrictSection):
    """Who may ask from elsewhere, and for what; `max_age` is in seconds."""

    allowed_origins: Texts = ()
    allowed_origin_patterns: Texts = ()
    allowed_methods: Texts = METHODS_BY_DEFAULT
    allowed_headers: Texts = ()
    exposed_headers: Texts = ()
    allow_credentials: bool = False
    allow_private_network: bool = False
    max_age: Annotated[float, BeforeValidator(_seconds)] | None = Field(None, ge=0)

    @model_validator(mode="after")
    def _check(self) -> "CorsConfiguration":
        if self.allow_credentials and ALL in self.allowed_origins:
            raise ValueError(
                "allowed-origins: with allow-credentials it cannot be *: "
                "list the origins, or write allowed-origin-patterns"
            )
        return self

    def origin(self, given: str) -> str | None:
        """What Access-Control-Allow-Origin says; None for an origin that may not ask."""
        origin = given.rstrip("/").lower()
        if ALL in self.allowed_origins:
            return ALL
        if any(origin == known.rstrip("/").lower() for known in self.allowed_origins):
            return given
        fits = any(_pattern(text).fullmatch(origin) for text in self.allowed_origin_patterns)
        return given if fits else None

    def methods(self, requested: str) -> tuple[str, ...] | None:
        if ALL in self.allowed_methods:
            return (requested,)
        return self.allowed_methods if requested in self.allowed_methods else None

    def headers(self, requested: Sequence[str]) -> Sequence[str] | None:
        """Those of `requested` that may be sent; None when there are some and none of them may."""
        if not requested or ALL in self.allowed_headers:
            return requested
        known = {name.lower() for name in self.allowed_headers}
        return [name for name in requested if name.lower() in known] or None


# For a path in which another server could read one of another configuration.
CLOSED = CorsConfiguration()


def _pattern(text: str) -> re.Pattern[str]:
    """`https://*.example.org:[8080,8081]`."""
    ports = ""
    if match := PORTS.fullmatch(text):
        text = match[1]
        ports = r"(?::\d+)?" if match[2] == ALL else f":(?:{match[2].replace(',', '|')})"
    escaped = re.escape(text.rstrip("/").lower()).replace(r"\*", ".*")
    return re.compile(escaped + ports)


class CorsDecision(NamedTuple):
    """What becomes of one request: `headers` are for its answer, whatever that is."""

    headers: Mapping[str, str]
    refusal: str = ""
    is_preflight: bool = False

    def check(self) -> None:
        """Raises Forbidden for what may not be requested from where it is asked."""
        if self.refusal:
            raise Forbidden(self.refusal)

    def adding_to(self, send: Send) -> Send:
        """`send`, which puts the headers into every answer in the place of the service's own."""

        async def send_with_headers(response: Response) -> None:
            _put(response.headers, self.headers)
            await send(response)

        return send_with_headers


def _put(headers: CIMultiDict[str], own: Mapping[str, str]) -> None:
    if own:
        for name in [name for name in headers if name.lower().startswith("access-control-")]:
            headers.popall(name, None)
        headers.update(own)
    varied = {
        part.strip().lower() for line in headers.getall("Vary", ()) for part in line.split(",")
    }
    for name in VARY:
        if name.lower() not in varied and ALL not in varied:
            headers.add("Vary", name)


@dataclass(frozen=True, slots=True)
class CorsRules:
    """The first whose path fits decides; `for_all` says: without a route as well."""

    rules: tuple[tuple[TemplatePattern, CorsConfiguration], ...] = ()
    for_all: bool = False

    def decide(self, view: RequestView, has_route: bool) -> CorsDecision | None:
        """None for a path of which nothing is configured."""
        if not self.rules or not (has_route or self.for_all):
            return None
        configuration = self._of(view.path)
        reading = other_reading(view.path)
        if reading is not None and configuration is not self._of(reading):
            configuration = CLOSED
        return _decision(configuration, view) if configuration else None

    def _of(self, path: str) -> CorsConfiguration | None:
        for pattern, configuration in self.rules:
            if pattern.takes(path) is not None:
                return configuration
        return None


def rules(
    routes: Iterable[Route], by_path: Mapping[str, CorsConfiguration], for_all: bool
) -> CorsRules:
    """Those of the routes' metadata, and then those for paths.  ValueError names the route."""
    of_routes = [
        (patterns.path(path), configuration)
        for route in routes
        if (configuration := _of_route(route))
        for path in route.own_paths or ("/**",)
    ]
    of_paths = [(patterns.path(path), configuration) for path, configuration in by_path.items()]
    return CorsRules((*of_routes, *of_paths), for_all)


def with_paths(given: Mapping[str, Any]) -> dict[str, Any]:
    """`cors-configurations` by path, whose `[/a.b/**]` is taken apart on its way through a tree."""
    result: dict[str, Any] = {}
    by_path: dict[str, Any] = {}
    for key, value in given.items():
        name, bracket, rest = key.partition("[")
        if relaxed(name) != "corsconfigurations":
            result[key] = value
        else:
            by_path.update(_joined("", {f"[{rest}": value}) if bracket else _joined("", value))
    return {**result, "cors-configurations": by_path} if by_path else result


def _joined(begin: str, tree: Any) -> dict[str, Any]:
    """`{"[/a": {"b/**]": …}}` as `{"/a.b/**": …}`."""
    joined: dict[str, Any] = {}
    for key, value in tree.items() if isinstance(tree, Mapping) else ():
        path = f"{begin}.{key}" if begin else key
        if path.startswith("[") and not path.endswith("]") and isinstance(value, Mapping):
            joined.update(_joined(path, value))
        else:
            joined[path.removeprefix("[").removesuffix("]")] = value
    return joined


def _of_route(route: Route) -> CorsConfiguration | None:
    given = next((v for name, v in route.metadata.items() if relaxed(name) == "cors"), None)
    if given is None:
        return None
    where = f"route {route.id}: metadata: cors"
    try:
        return CorsConfiguration.model_validate(given)
    except ValidationError as error:
        text = validation.describe(error, CorsConfiguration, f"{where}: ")
        raise ValueError(text) from error


def _decision(configuration: CorsConfiguration, view: RequestView) -> CorsDecision:
    origin = view.headers.get("Origin")
    if origin is None or _is_own(origin, view.host):
        return CorsDecision({})
    requested = view.headers.get("Access-Control-Request-Method")
    is_preflight = view.method == "OPTIONS" and requested is not None
    method = requested if is_preflight and requested else view.method
    allowed = configuration.origin(origin)
    if allowed is None:
        return CorsDecision({}, f"A page of {origin} may not ask this shop.", is_preflight)
    methods = configuration.methods(method)
    if methods is None:
        return CorsDecision({}, f"A page of {origin} may not use {method} here.", is_preflight)
    own = _usual(configuration, allowed)
    if not is_preflight:
        return CorsDecision(own)
    headers = configuration.headers(view.list_of("Access-Control-Request-Headers"))
    if headers is None:
        return CorsDecision({}, f"A page of {origin} may not send these headers.", True)
    return CorsDecision(own | _of_preflight(configuration, view, methods, headers), "", True)


def _is_own(origin: str, host: str) -> bool:
    """Whether the page is one of this host itself; what terminates TLS may stand before it."""
    parts = urlsplit(origin.lower())
    default = {"http": ":80", "https": ":443"}.get(parts.scheme, "")
    return parts.netloc.removesuffix(default) == host.lower().removesuffix(default)


def _usual(configuration: CorsConfiguration, origin: str) -> dict[str, str]:
    own = {"Access-Control-Allow-Origin": origin}
    if configuration.exposed_headers:
        own["Access-Control-Expose-Headers"] = ", ".join(configuration.exposed_headers)
    if configuration.allow_credentials:
        own["Access-Control-Allow-Credentials"] = "true"
    return own


def _of_preflight(
    configuration: CorsConfiguration,
    view: RequestView,
    methods: Sequence[str],
    headers: Sequence[str],
) -> dict[str, str]:
    own = {"Access-Control-Allow-Methods": ",".join(methods)}
    if headers:
        own["Access-Control-Allow-Headers"] = ", ".join(headers)
    if configuration.max_age is not None:
        own["Access-Control-Max-Age"] = str(int(configuration.max_age))
    wants_private = view.headers.get("Access-Control-Request-Private-Network") == "true"
    if configuration.allow_private_network and wants_private:
        own["Access-Control-Allow-Private-Network"] = "true"
    return own

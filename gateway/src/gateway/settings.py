"""What the gateway reads beyond what every process does."""

from functools import cached_property
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BeforeValidator, Field, PlainValidator, model_validator

from chassis.config.settings import (
    BulkheadSettings,
    Count,
    Fusebox,
    Positive,
    Section,
    Settings,
    Spring,
    StrictSection,
)
from gateway.routing.filters.factories import RouteFilter
from gateway.routing.route import Route, RouteTimeouts
from gateway.routing.route_definitions import RouteDefaults, parse, parse_default_filters
from gateway.routing.syntax.arguments import seconds
from gateway.routing.syntax.definitions import Parsed, as_text
from gateway.security import blocklist, cors, forwarded
from gateway.security.blocklist import BlockRule
from gateway.security.cors import CorsConfiguration, CorsRules
from gateway.security.forwarded import TrustedProxies
from gateway.security.rate_policies import RatePolicies
from gateway.traffic.canary_routes import CanarySettings

DefaultFilters: TypeAlias = tuple[Parsed[RouteFilter], ...]
Timeout: TypeAlias = Annotated[
    Positive | None, BeforeValidator(lambda given: seconds(as_text(given), "ms"))
]


def _checked(given: Any) -> tuple[Any, ...]:
    """Routes as they are written, which would be right by themselves; none for an empty key."""
    if given in (None, ""):
        return ()
    if not isinstance(given, list | tuple):
        raise ValueError("is not a list of routes")
    parse(given)
    return tuple(given)


class LocatorSection(StrictSection):
    enabled: bool = False
    # They are lower case in any case.
    lower_case_service_id: Literal[True] = True


class DiscoverySection(StrictSection):
    locator: LocatorSection = LocatorSection()


class GlobalCorsSection(StrictSection):
    """`cors_configurations` by path; the other says: for paths that no route takes as well."""

    cors_configurations: dict[str, CorsConfiguration] = {}
    add_to_simple_url_handler_mapping: bool = False

    @classmethod
    def prepared(cls, given: dict[str, Any]) -> dict[str, Any]:
        return cors.with_paths(given)


class HttpClientSection(StrictSection):
    """In milliseconds, or with a unit; for routes whose metadata do not say it."""

    connect_timeout: Timeout = None
    response_timeout: Timeout = None


class RoutesSection(StrictSection):
    """`written_routes` are checked, but have yet to get what is said beside them."""

    discovery: DiscoverySection = DiscoverySection()
    default_filters: Annotated[DefaultFilters, PlainValidator(parse_default_filters)] = ()
    globalcors: GlobalCorsSection = GlobalCorsSection()
    httpclient: HttpClientSection = HttpClientSection()
    trusted_proxies: Annotated[TrustedProxies, PlainValidator(forwarded.trusted_proxies)] = (
        TrustedProxies()
    )
    written_routes: Annotated[tuple[Any, ...], PlainValidator(_checked)] = Field((), alias="routes")


class ServerSection(StrictSection):
    webflux: RoutesSection = RoutesSection()


class GatewaySection(RoutesSection):
    """Spring Cloud Gateway's keys under their prefix, and under the one that 4.3 gave them.

    What stands under either is in force; of a single value the new prefix's.
    """

    server: ServerSection = ServerSection()

    @model_validator(mode="after")
    def _check(self) -> "GatewaySection":
        _ = self.cors  # which the routes have to be made for
        return self

    @cached_property
    def defaults(self) -> RouteDefaults:
        old, new = self.httpclient, self.server.webflux.httpclient
        return RouteDefaults(
            (*self.default_filters, *self.server.webflux.default_filters),
            RouteTimeouts(
                new.connect_timeout or old.connect_timeout,
                new.response_timeout or old.response_timeout,
            ),
        )

    @cached_property
    def routes(self) -> tuple[Route, ...]:
        return parse((*self.written_routes, *self.server.webflux.written_routes), self.defaults)

    @cached_property
    def cors(self) -> CorsRules:
        old, new = self.globalcors, self.server.webflux.globalcors
        return cors.rules(
            self.routes,
            {**new.cors_configurations, **old.cors_configurations},
            old.add_to_simple_url_handler_mapping or new.add_to_simple_url_handler_mapping,
        )

    @property
    def proxies(self) -> TrustedProxies:
        return self.server.webflux.trusted_proxies or self.trusted_proxies

    @property
    def has_locator(self) -> bool:
        return self.discovery.locator.enabled or self.server.webflux.discovery.locator.enabled


class CloudSection(Section):
    gateway: GatewaySection = GatewaySection()


class GatewaySpring(Spring):
    cloud: CloudSection = CloudSection()


class CacheSection(Section):
    """One that does not say itself how long it will do gets `stale_if_error_seconds`."""

    enabled: bool = True
    max_bytes: Count = 16_777_216
    max_entries: Count = 1000
    max_entry_bytes: Count = 262_144
    stale_if_error_seconds: float = Field(60, ge=0)


class GatewayLimits(Section):
    blocked: Annotated[tuple[BlockRule, ...], PlainValidator(blocklist.parse)] = ()
    cache: CacheSection = CacheSection()
    # A line in the log for each request.
    access_log: bool = False
    canaries: dict[str, CanarySettings] = {}
    # Over all routes, by the policy's name.
    rate_limits: RatePolicies = {}
    # Nobody outside has a business with these.
    hidden_services: frozenset[str] = frozenset(("config-server", "discovery", "gateway", "panel"))
    max_body_bytes: Count = 1_048_576
    max_header_bytes: Count = 16_384
    connect_timeout_seconds: Positive = 2
    read_timeout_seconds: Positive = 10
    max_headers: Count = 128
    # Of a client: for a whole head, for the next bytes of a body, and between two requests.
    header_timeout_seconds: Positive = 10
    body_timeout_seconds: Positive = 10
    idle_timeout_seconds: Positive = 75
    max_connections: Count = 4096
    # But for proxies that are trusted. One of IPv6 counts with its /64.
    max_connections_per_client: Count = 2048
    # Of server-sent events, and of what a connection was upgraded to.
    stream_idle_seconds: Positive = 300
    max_concurrent_requests: Count = 1000
    # HSTS, such as max-age=31536000, for who has asked a trusted proxy by TLS; nothing without it.
    strict_transport_security: str = Field("", pattern=r"^[ -~]*$")
    zipkin_ui: str = Field("http://127.0.0.1:9411", pattern="^https?://.*[^/]$")


class GatewayBulkhead(BulkheadSettings):
    """Without a wait: it would hold the event loop, and so everybody."""

    max_concurrent_calls: Count = 256
    max_wait_seconds: float = Field(0, ge=0, le=0)


class GatewayFusebox(Fusebox):
    bulkhead: GatewayBulkhead = GatewayBulkhead()
    gateway: GatewayLimits = GatewayLimits()


class GatewaySettings(Settings):
    spring: GatewaySpring = GatewaySpring()
    fusebox: GatewayFusebox = GatewayFusebox()

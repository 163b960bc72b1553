"""What the gateway reads beyond what every process does."""

from typing import Annotated

from pydantic import Field, PlainValidator

from chassis.config.settings import (
    BulkheadSettings,
    Count,
    Fusebox,
    Positive,
    Section,
    Settings,
    Spring,
)
from gateway.routing.route import Route, parse
from gateway.security import blocklist
from gateway.security.blocklist import BlockRule
from gateway.traffic.canary_routes import CanarySettings


class LocatorSection(Section):
    enabled: bool = False


class DiscoverySection(Section):
    locator: LocatorSection = LocatorSection()


class RoutesSection(Section):
    discovery: DiscoverySection = DiscoverySection()
    routes: Annotated[tuple[Route, ...], PlainValidator(parse)] = ()


class CloudSection(Section):
    gateway: RoutesSection = RoutesSection()


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
    # Nobody outside has a business with these.
    hidden_services: frozenset[str] = frozenset(("config-server", "discovery", "gateway"))
    max_body_bytes: Count = 1_048_576
    max_header_bytes: Count = 16_384
    connect_timeout_seconds: Positive = 2
    read_timeout_seconds: Positive = 10
    header_timeout_seconds: Positive = 10
    # Of server-sent events, and of what a connection was upgraded to.
    stream_idle_seconds: Positive = 300
    max_concurrent_requests: Count = 1000
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

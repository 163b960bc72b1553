"""What the gateway reads beyond what every process does."""

from typing import Annotated

from pydantic import Field, PlainValidator

from chassis.settings import Count, Fusebox, Positive, Section, Settings, Spring
from gateway.routes import Route, parse


class RoutesSection(Section):
    routes: Annotated[tuple[Route, ...], PlainValidator(parse)] = ()


class CloudSection(Section):
    gateway: RoutesSection = RoutesSection()


class GatewaySpring(Spring):
    cloud: CloudSection = CloudSection()


class Limits(Section):
    max_body_bytes: Count = 1_048_576
    max_header_bytes: Count = 16_384
    connect_timeout_seconds: Positive = 0.5
    read_timeout_seconds: Positive = 10
    zipkin_ui: str = Field("http://127.0.0.1:9411", pattern="^https?://.*[^/]$")


class GatewayFusebox(Fusebox):
    gateway: Limits = Limits()


class GatewaySettings(Settings):
    spring: GatewaySpring = GatewaySpring()
    fusebox: GatewayFusebox = GatewayFusebox()

"""Discovery's own settings, beside those of every process."""

from typing import Annotated

from pydantic import Field

from chassis.config.settings import Count, Eureka, Section, Settings
from discovery.registry.rules import LeaseRules
from discovery.replication.peer_client import PeerSettings

Share = Annotated[float, Field(ge=0, le=1)]


class EurekaServer(Section):
    eviction_interval_timer_in_ms: Count = 1_000
    retention_time_in_m_s_in_delta_queue: Count = 180_000
    enable_self_preservation: bool = True
    renewal_percent_threshold: Share = 0.85
    registry_sync_retries: Count = 5
    registry_sync_retry_wait_ms: Count = 1_000


class EurekaWithServer(Eureka):
    server: EurekaServer = EurekaServer()

    def lease_rules(self) -> LeaseRules:
        server = self.server
        return LeaseRules(
            sweep_seconds=server.eviction_interval_timer_in_ms / 1000,
            delta_seconds=server.retention_time_in_m_s_in_delta_queue / 1000,
            renewal_threshold=(
                server.renewal_percent_threshold if server.enable_self_preservation else None
            ),
        )

    def peer_settings(self) -> PeerSettings:
        return PeerSettings(
            default_zone=self.client.service_url.default_zone,
            retries=self.server.registry_sync_retries,
            retry_seconds=self.server.registry_sync_retry_wait_ms / 1000,
        )


class DiscoverySettings(Settings):
    eureka: EurekaWithServer = EurekaWithServer()

"""Discovery's own settings, beside those of every process."""

from chassis.settings import Count, Eureka, Section, Settings
from discovery.registry import Timing


class EurekaServer(Section):
    eviction_interval_timer_in_ms: Count = 1_000
    retention_time_in_m_s_in_delta_queue: Count = 180_000

    def timing(self) -> Timing:
        return Timing(
            sweep_seconds=self.eviction_interval_timer_in_ms / 1000,
            delta_seconds=self.retention_time_in_m_s_in_delta_queue / 1000,
        )


class EurekaWithServer(Eureka):
    server: EurekaServer = EurekaServer()


class DiscoverySettings(Settings):
    eureka: EurekaWithServer = EurekaWithServer()

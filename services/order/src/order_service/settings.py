"""The settings that order-service has beyond those of every process."""

from chassis.config.settings import Count, Fusebox, Section, Settings


class IdempotencySettings(Section):
    keep_hours: Count = 24


class OrderFusebox(Fusebox):
    idempotency: IdempotencySettings = IdempotencySettings()


class OrderSettings(Settings):
    fusebox: OrderFusebox = OrderFusebox()

"""The settings that order-service has beyond those of every process."""

from chassis.config.settings import Fusebox, Positive, Section, Settings


class IdempotencySettings(Section):
    keep_hours: Positive = 24


class OrderFusebox(Fusebox):
    idempotency: IdempotencySettings = IdempotencySettings()


class OrderSettings(Settings):
    fusebox: OrderFusebox = OrderFusebox()

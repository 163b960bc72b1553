"""The settings that order-service has beyond those of every process."""

from chassis.config.settings import Fusebox, Positive, Section, Settings


class IdempotencySettings(Section):
    keep_hours: Positive = 24


class ClosedAccountSettings(Section):
    keep_days: Positive = 30


class OrderFusebox(Fusebox):
    closed_accounts: ClosedAccountSettings = ClosedAccountSettings()
    idempotency: IdempotencySettings = IdempotencySettings()


class OrderSettings(Settings):
    fusebox: OrderFusebox = OrderFusebox()

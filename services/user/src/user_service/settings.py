"""The settings that user-service has beyond those of every process."""

from chassis.config.settings import Count, Fusebox, Section, Settings


class TokenSettings(Section):
    lifetime_seconds: Count = 900


class UserFusebox(Fusebox):
    tokens: TokenSettings = TokenSettings()


class UserSettings(Settings):
    fusebox: UserFusebox = UserFusebox()

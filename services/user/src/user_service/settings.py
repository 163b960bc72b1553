"""The settings that user-service has beyond those of every process."""

from chassis.config.settings import Count, Fusebox, Positive, Section, Settings


class TokenSettings(Section):
    lifetime_seconds: Count = 900


class DeletedUserSettings(Section):
    keep_days: Positive = 30


class UserFusebox(Fusebox):
    deleted_users: DeletedUserSettings = DeletedUserSettings()
    tokens: TokenSettings = TokenSettings()


class UserSettings(Settings):
    fusebox: UserFusebox = UserFusebox()

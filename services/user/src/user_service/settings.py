"""The settings that user-service has beyond those of every process."""

from chassis.config.settings import AuditSettings, Count, Fusebox, Positive, Section, Settings

# For clocks, and for whoever signs with an old key or reads an old role a moment longer.
MARGIN_SECONDS = 60


class TokenSettings(Section):
    lifetime_seconds: Count = 900
    refresh_lifetime_days: Positive = 14
    session_lifetime_days: Positive = 90


class PasswordSettings(Section):
    max_waiting: Count = 20


class DeletedUserSettings(Section):
    keep_days: Positive = 30


class TrailSettings(AuditSettings):
    keep_days: Positive = 365


class UserFusebox(Fusebox):
    audit: TrailSettings = TrailSettings()
    deleted_users: DeletedUserSettings = DeletedUserSettings()
    passwords: PasswordSettings = PasswordSettings()
    tokens: TokenSettings = TokenSettings()


class UserSettings(Settings):
    fusebox: UserFusebox = UserFusebox()

"""The config server's own settings, under the names of Spring's server."""

import re
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, SecretStr, model_validator

from chassis.config.settings import Datasource, Positive, Section, Settings, Spring

LOWEST_PRECEDENCE = 2**31 - 1
CAMEL_HUMP = re.compile(r"(?<=[a-z0-9])([A-Z])")


def _split(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    return [item.strip() for item in value.split(",") if item.strip()]


CommaSeparated = Annotated[list[str], BeforeValidator(_split)]


class RelaxedSection(Section):
    """Takes `searchPaths` for `search-paths`, as Spring does."""

    @model_validator(mode="before")
    @classmethod
    def _kebab(cls, options: Any) -> Any:
        if not isinstance(options, dict):
            return options
        return {CAMEL_HUMP.sub(r"-\1", key).lower(): value for key, value in options.items()}


class NativeSettings(RelaxedSection):
    type: Literal["native"] = "native"
    order: int = LOWEST_PRECEDENCE
    search_locations: CommaSeparated = []


class GitSettings(RelaxedSection):
    type: Literal["git"] = "git"
    order: int = LOWEST_PRECEDENCE
    uri: str = ""
    default_label: str = "main"
    try_master_branch: bool = True
    search_paths: CommaSeparated = []
    username: str | None = None
    password: SecretStr | None = None
    refresh_rate: Positive = 10  # seconds between two fetches
    timeout: Positive = 5

    def labels(self) -> list[str]:
        labels = [self.default_label, *(["master"] if self.try_master_branch else [])]
        return list(dict.fromkeys(labels))


class JdbcSettings(RelaxedSection):
    type: Literal["jdbc"] = "jdbc"
    order: int = LOWEST_PRECEDENCE
    default_label: str = "master"


BackendSettings = NativeSettings | GitSettings | JdbcSettings
CompositeBackends = list[Annotated[BackendSettings, Field(discriminator="type")]]


class EncryptSettings(RelaxedSection):
    enabled: bool = True


class ServerSection(RelaxedSection):
    native: NativeSettings = NativeSettings()
    git: GitSettings = GitSettings()
    jdbc: JdbcSettings = JdbcSettings()
    composite: CompositeBackends = []
    encrypt: EncryptSettings = EncryptSettings()


class CloudConfig(Section):
    server: ServerSection = ServerSection()


class Cloud(Section):
    config: CloudConfig = CloudConfig()


class Profiles(Section):
    active: CommaSeparated = ["native"]


class ServerDatasource(Datasource):
    username: str | None = None
    password: SecretStr | None = None


class ServerSpring(Spring):
    cloud: Cloud = Cloud()
    profiles: Profiles = Profiles()
    datasource: ServerDatasource = ServerDatasource()


class ConfigServerSettings(Settings):
    spring: ServerSpring = ServerSpring()

    def backends(self) -> list[BackendSettings]:
        """The back ends in use, by precedence."""
        server, active = self.spring.cloud.config.server, self.spring.profiles.active
        if "composite" in active:
            return list(server.composite)
        known: list[BackendSettings] = [server.native, server.git, server.jdbc]
        return sorted(
            (backend for backend in known if backend.type in active),
            key=lambda backend: backend.order,
        )

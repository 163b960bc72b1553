"""The config server's own settings, under the names of Spring's server."""

import re
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, SecretStr, model_validator

from chassis.config.settings import Datasource, Positive, Section, Settings, Spring

LAST = 2**31 - 1
HUMP = re.compile(r"(?<=[a-z0-9])([A-Z])")


def _listed(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    return [each.strip() for each in value.split(",") if each.strip()]


Listed = Annotated[list[str], BeforeValidator(_listed)]


class Relaxed(Section):
    """Takes `searchPaths` for `search-paths`, as Spring does."""

    @model_validator(mode="before")
    @classmethod
    def _kebab(cls, given: Any) -> Any:
        if not isinstance(given, dict):
            return given
        return {HUMP.sub(r"-\1", key).lower(): value for key, value in given.items()}


class NativeSettings(Relaxed):
    type: Literal["native"] = "native"
    order: int = LAST
    search_locations: Listed = []


class GitSettings(Relaxed):
    type: Literal["git"] = "git"
    order: int = LAST
    uri: str = ""
    default_label: str = "main"
    try_master_branch: bool = True
    search_paths: Listed = []
    username: str | None = None
    password: SecretStr | None = None
    refresh_rate: Positive = 10  # seconds between two looks at a remote repository
    timeout: Positive = 5

    def labels(self) -> list[str]:
        labels = [self.default_label, *(["master"] if self.try_master_branch else [])]
        return list(dict.fromkeys(labels))


class JdbcSettings(Relaxed):
    type: Literal["jdbc"] = "jdbc"
    order: int = LAST
    default_label: str = "master"


BackendSettings = NativeSettings | GitSettings | JdbcSettings
Listing = list[Annotated[BackendSettings, Field(discriminator="type")]]


class EncryptionOfValues(Relaxed):
    enabled: bool = True


class Server(Relaxed):
    native: NativeSettings = NativeSettings()
    git: GitSettings = GitSettings()
    jdbc: JdbcSettings = JdbcSettings()
    composite: Listing = []
    encrypt: EncryptionOfValues = EncryptionOfValues()


class CloudConfig(Section):
    server: Server = Server()


class Cloud(Section):
    config: CloudConfig = CloudConfig()


class Profiles(Section):
    active: Listed = ["native"]


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
        """The back ends in use, the one with the last word first."""
        server, active = self.spring.cloud.config.server, self.spring.profiles.active
        if "composite" in active:
            return list(server.composite)
        known: list[BackendSettings] = [server.native, server.git, server.jdbc]
        return sorted((each for each in known if each.type in active), key=lambda each: each.order)

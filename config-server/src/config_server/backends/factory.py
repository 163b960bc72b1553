"""From settings to back ends."""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit, urlunsplit

from chassis.config.client import ConfigurationError
from chassis.core.environment import Environment
from config_server.backends.composite import Composite
from config_server.backends.folder import FolderBackend
from config_server.files.trees import Copies
from config_server.model import Backend
from config_server.settings import (
    BackendSettings,
    ConfigServerSettings,
    GitSettings,
    JdbcSettings,
    NativeSettings,
    ServerDatasource,
)

if TYPE_CHECKING:
    from sqlalchemy import Engine

CONNECT_TIMEOUT_SECONDS = 2


def build(settings: ConfigServerSettings, environment: Environment, home: Backend) -> Backend:
    """The back ends of `settings`; `home` is the folder that this process reads itself.

    Raises ConfigurationError.
    """
    backends = [
        backend
        for each in settings.backends()
        for backend in _of(each, settings.spring.datasource, environment, home)
    ]
    if not backends:
        raise ConfigurationError(
            "spring.profiles.active names none of native, git, jdbc, composite"
        )
    return backends[0] if len(backends) == 1 else Composite(backends)


def _of(
    each: BackendSettings, datasource: ServerDatasource, environment: Environment, home: Backend
) -> list[Backend]:
    if isinstance(each, NativeSettings):
        return _folders(each, environment, home)
    if isinstance(each, GitSettings):
        return [_git(each, environment)]
    return [_database(each, datasource, environment)]


def folder(location: Path, environment: Environment) -> FolderBackend:
    if not location.is_dir():
        raise ConfigurationError(f"{location} is to be served, and that is no folder")
    name = hashlib.sha256(str(location.resolve()).encode()).hexdigest()[:16]
    return FolderBackend(location, Copies(environment.state / "last-good" / name))


def folders(locations: str, environment: Environment) -> Backend:
    """The folders of a list separated by commas; the last one has the last word, as in Spring."""
    found = _folders_of([each.strip() for each in locations.split(",")], environment)
    return found[0] if len(found) == 1 else Composite(found)


def _folders(each: NativeSettings, environment: Environment, home: Backend) -> list[Backend]:
    return _folders_of(each.search_locations, environment) or [home]


def _folders_of(locations: Sequence[str], environment: Environment) -> list[Backend]:
    found = [_path(location) or Path(location) for location in locations]
    return [folder(location, environment) for location in reversed(found)]


def _git(each: GitSettings, environment: Environment) -> Backend:
    # Here, since only this back end needs it: the others are spared its time and memory.
    from config_server.backends.git import GitBackend
    from config_server.backends.mirror import Mirror

    if not each.uri:
        raise ConfigurationError("spring.cloud.config.server.git.uri is missing")
    shown, username, password = _without_credentials(each)
    local = _path(each.uri)
    if local:
        return GitBackend(local, shown, each.labels(), each.search_paths)
    name = hashlib.sha256(shown.encode()).hexdigest()[:16]
    mirror = Mirror(shown, environment.state / "git" / name, username, password, each.timeout)
    return GitBackend(
        mirror.folder, shown, each.labels(), each.search_paths, mirror, each.refresh_rate
    )


def _path(uri: str) -> Path | None:
    """The local path that `uri` names, if it names one."""
    if uri.startswith("file:"):
        return Path(unquote("/" + uri.removeprefix("file:").lstrip("/")))
    return Path(uri) if uri.startswith("/") else None


def _without_credentials(each: GitSettings) -> tuple[str, str | None, str | None]:
    """The URI as it may be shown, user and password."""
    password = each.password.get_secret_value() if each.password else None
    if "://" not in each.uri:
        return each.uri, each.username, password
    parts = urlsplit(each.uri)
    if parts.scheme == "ssh" or "@" not in parts.netloc:
        return each.uri, each.username, password
    shown = urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
    return shown, unquote(parts.username or ""), unquote(parts.password or "")


def _database(
    each: JdbcSettings, datasource: ServerDatasource, environment: Environment
) -> Backend:
    from config_server.backends.database import DatabaseBackend

    if not datasource.url:
        raise ConfigurationError("spring.datasource.url is missing, which the jdbc back end needs")
    return DatabaseBackend(_engine(datasource, environment), each.default_label)


def _engine(datasource: ServerDatasource, environment: Environment) -> "Engine":
    from sqlalchemy import create_engine, make_url

    # Java's form of the same address.
    given = datasource.url.removeprefix("jdbc:").replace("postgresql://", "postgresql+psycopg://")
    url = make_url(given)
    if datasource.username:
        url = url.set(username=datasource.username)
    if url.password is None:
        url = url.set(password=_password(datasource, environment))
    return create_engine(
        url,
        hide_parameters=True,
        pool_size=datasource.pool_size,
        pool_timeout=CONNECT_TIMEOUT_SECONDS,
        pool_pre_ping=True,
        connect_args={
            "connect_timeout": CONNECT_TIMEOUT_SECONDS,
            "application_name": environment.instance,
        },
    )


def _password(datasource: ServerDatasource, environment: Environment) -> str | None:
    if datasource.password:
        return datasource.password.get_secret_value()
    try:
        return environment.secret(f"{environment.service}-db-password")
    except FileNotFoundError:
        return None  # the database may trust this machine

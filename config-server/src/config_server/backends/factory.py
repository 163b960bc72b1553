"""From settings to back ends."""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit, urlunsplit

from chassis.config.client import ConfigurationError
from chassis.core.environment import Environment
from config_server.backends.composite import CompositeBackend
from config_server.backends.folder import FolderBackend
from config_server.files.trees import LastGoodCopies
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
        for options in settings.backends()
        for backend in _of(options, settings.spring.datasource, environment, home)
    ]
    if not backends:
        raise ConfigurationError(
            "spring.profiles.active names none of native, git, jdbc, composite"
        )
    return backends[0] if len(backends) == 1 else CompositeBackend(backends)


def _of(
    options: BackendSettings, datasource: ServerDatasource, environment: Environment, home: Backend
) -> list[Backend]:
    if isinstance(options, NativeSettings):
        return _folders(options, environment, home)
    if isinstance(options, GitSettings):
        return [_git(options, environment)]
    return [_database(options, datasource, environment)]


def folder(location: Path, environment: Environment) -> FolderBackend:
    if not location.is_dir():
        raise ConfigurationError(f"{location} is to be served, but is not a folder")
    name = hashlib.sha256(str(location.resolve()).encode()).hexdigest()[:16]
    return FolderBackend(location, LastGoodCopies(environment.state / "last-good" / name))


def folders(locations: str, environment: Environment) -> Backend:
    """The folders of a list separated by commas; the last one takes precedence, as in Spring."""
    backends = _folders_of([location.strip() for location in locations.split(",")], environment)
    return backends[0] if len(backends) == 1 else CompositeBackend(backends)


def _folders(options: NativeSettings, environment: Environment, home: Backend) -> list[Backend]:
    return _folders_of(options.search_locations, environment) or [home]


def _folders_of(locations: Sequence[str], environment: Environment) -> list[Backend]:
    paths = [_path(location) or Path(location) for location in locations]
    return [folder(path, environment) for path in reversed(paths)]


def _git(options: GitSettings, environment: Environment) -> Backend:
    # Here, since only this back end needs it: the others are spared its time and memory.
    from config_server.backends.git import GitBackend
    from config_server.backends.mirror import RepositoryMirror

    if not options.uri:
        raise ConfigurationError("spring.cloud.config.server.git.uri is missing")
    shown, username, password = _without_credentials(options)
    local = _path(options.uri)
    if local:
        return GitBackend(local, shown, options.labels(), options.search_paths)
    name = hashlib.sha256(shown.encode()).hexdigest()[:16]
    mirror = RepositoryMirror(
        shown, environment.state / "git" / name, username, password, options.timeout
    )
    return GitBackend(
        mirror.folder, shown, options.labels(), options.search_paths, mirror, options.refresh_rate
    )


def _path(uri: str) -> Path | None:
    """The local path that `uri` names, if it names one."""
    if uri.startswith("file:"):
        return Path(unquote("/" + uri.removeprefix("file:").lstrip("/")))
    return Path(uri) if uri.startswith("/") else None


def _without_credentials(options: GitSettings) -> tuple[str, str | None, str | None]:
    """The URI as it may be shown, user and password."""
    password = options.password.get_secret_value() if options.password else None
    if "://" not in options.uri:
        return options.uri, options.username, password
    parts = urlsplit(options.uri)
    if parts.scheme == "ssh" or "@" not in parts.netloc:
        return options.uri, options.username, password
    shown = urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
    return shown, unquote(parts.username or ""), unquote(parts.password or "")


def _database(
    options: JdbcSettings, datasource: ServerDatasource, environment: Environment
) -> Backend:
    from config_server.backends.database import DatabaseBackend

    if not datasource.url:
        raise ConfigurationError("spring.datasource.url is missing, which the jdbc back end needs")
    return DatabaseBackend(_engine(datasource, environment), options.default_label)


def _engine(datasource: ServerDatasource, environment: Environment) -> "Engine":
    from sqlalchemy import create_engine, make_url

    # JDBC's form of the same address.
    address = datasource.url.removeprefix("jdbc:").replace("postgresql://", "postgresql+psycopg://")
    url = make_url(address)
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

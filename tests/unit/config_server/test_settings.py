"""Which back ends the settings name, and what is made of them."""

from pathlib import Path
from typing import Any

import pytest

from chassis.config.client import ConfigurationError
from chassis.config.properties import to_tree
from chassis.core.environment import Environment
from config_server.backends.composite import CompositeBackend
from config_server.backends.factory import build
from config_server.backends.folder import FolderBackend
from config_server.bootstrap import cipher_of
from config_server.model import Backend
from config_server.settings import ConfigServerSettings, GitSettings

SERVER = "spring.cloud.config.server"


def settings(flat: dict[str, Any]) -> ConfigServerSettings:
    return ConfigServerSettings.model_validate(to_tree(flat))


def built(flat: dict[str, Any], folder: Path) -> Backend:
    environment = Environment.read("config-server", {"FUSEBOX_STATE": str(folder / "state")})
    return build(settings(flat), environment, FolderBackend(folder))


def test_active_profiles_name_the_back_ends_and_the_key_order_sorts_them() -> None:
    configured = settings(
        {
            "spring.profiles.active": "native, jdbc,git",
            f"{SERVER}.git.order": 2,
            f"{SERVER}.jdbc.order": 1,
        }
    )

    assert [backend.type for backend in configured.backends()] == ["jdbc", "git", "native"]


def test_a_composite_keeps_the_order_of_its_list_and_accepts_kebab_and_camel_case() -> None:
    backends = settings(
        {
            "spring.profiles.active": "composite",
            f"{SERVER}.composite[0].type": "git",
            f"{SERVER}.composite[0].uri": "file:///x",
            f"{SERVER}.composite[0].searchPaths": "a, b",
            f"{SERVER}.composite[0].defaultLabel": "trunk",
            f"{SERVER}.composite[1].type": "native",
            f"{SERVER}.composite[1].search-locations[0]": "file:///y",
        }
    ).backends()

    assert [backend.type for backend in backends] == ["git", "native"]
    git = backends[0]
    assert isinstance(git, GitSettings)
    assert (git.search_paths, git.labels()) == (["a", "b"], ["trunk", "master"])


def test_the_folder_of_the_process_itself_is_the_default(tmp_path: Path) -> None:
    assert built({}, tmp_path).location == str(tmp_path)


def test_search_locations_are_folders_of_which_the_last_wins(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    locations = f"file:{tmp_path}/a,file://{tmp_path}/b"

    backend = built({f"{SERVER}.native.search-locations": locations}, tmp_path)

    assert isinstance(backend, CompositeBackend)
    assert backend.location == f"{tmp_path}/b, {tmp_path}/a"


@pytest.mark.parametrize(
    ("flat", "reason"),
    [
        ({"spring.profiles.active": "dev"}, "names none of"),
        ({"spring.profiles.active": "composite"}, "names none of"),
        ({"spring.profiles.active": "git"}, "git.uri is missing"),
        ({"spring.profiles.active": "jdbc"}, "spring.datasource.url is missing"),
        ({f"{SERVER}.native.search-locations": "/nowhere"}, "is not a folder"),
    ],
)
def test_impossible_settings_are_reported(
    flat: dict[str, Any], reason: str, tmp_path: Path
) -> None:
    with pytest.raises(ConfigurationError, match=reason):
        built(flat, tmp_path)


@pytest.mark.parametrize(
    ("uri", "shown"),
    [
        ("https://me:p%40ss@example.org/r.git", "https://example.org/r.git"),
        ("https://example.org/r.git/", "https://example.org/r.git"),
        ("ssh://git@example.org/r.git", "ssh://git@example.org/r.git"),
        ("git@example.org:r.git", "git@example.org:r.git"),
    ],
)
def test_the_credentials_of_a_repository_are_never_shown(
    uri: str, shown: str, tmp_path: Path
) -> None:
    flat = {"spring.profiles.active": "git", f"{SERVER}.git.uri": uri}

    assert built(flat, tmp_path).location == shown


def test_a_database_s_password_is_never_shown(tmp_path: Path) -> None:
    flat = {
        "spring.profiles.active": "jdbc",
        "spring.datasource.url": "jdbc:postgresql://127.0.0.1:1/x",
        "spring.datasource.username": "me",
        "spring.datasource.password": "hidden",
    }

    assert built(flat, tmp_path).location == "postgresql+psycopg://me:***@127.0.0.1:1/x"


def test_the_key_comes_from_the_secret_file_the_variable_or_the_configuration(
    tmp_path: Path,
) -> None:
    variables = {"FUSEBOX_SECRETS": str(tmp_path)}
    texts = {}
    for key in ("file", "variable", "configured"):
        cipher = cipher_of(Environment.read("x", variables), {"encrypt.key": key})
        assert cipher
        texts[key] = cipher.encrypt(key)
    own = {"encrypt.key": "configured"}

    assert cipher_of(Environment.read("x", variables), {}) is None
    for key, text in reversed(texts.items()):
        if key == "variable":
            variables["ENCRYPT_KEY"] = key
        if key == "file":
            (tmp_path / "encrypt-key").write_text("file\n")
        cipher = cipher_of(Environment.read("x", variables), own)
        assert cipher
        assert cipher.decrypt(text) == key


def test_a_salt_that_is_not_hexadecimal_is_reported(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"encrypt\.salt"):
        cipher_of(Environment.read("x", {}), {"encrypt.key": "k", "encrypt.salt": "zz"})

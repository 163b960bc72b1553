"""Which documents answer a query: conditions, included profiles, groups, imports and labels.

The expected answers are those that Spring's config server gave to the same files.
"""

import logging
from pathlib import Path

import pytest

from config_server.backends.folder import FolderBackend
from config_server.model import ConfigQuery, UnreadableFile


def write(folder: Path, **files: str) -> None:
    for name, text in files.items():
        path = folder / name.replace("__", "/").replace("_", "-")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.with_suffix(".yml").write_text(text)


def served(folder: Path, profile: str, label: str | None = None, name: str = "app") -> list[str]:
    """The names of the sources, the winner first, without the folder."""
    sources = FolderBackend(folder).find(ConfigQuery(name, profile, label)).sources
    prefix = f"file:{folder}/"
    return [source.name.removeprefix(prefix).replace(".yml", "") for source in sources]


def condition(line: str) -> str:
    return f"common: base\n---\n{line}\nsecret: x\n"


@pytest.mark.parametrize(
    "line",
    [
        "spring.config.activate.on-profile: prod",
        "spring.config.activate.onProfile: prod",
        "spring.config.activate.on_profile: prod",
        "spring.config.activate.ON-PROFILE: prod",
        "Spring.Config.Activate.OnProfile: prod",
        "spring: {config.activate: {on_profile: [prod, qa]}}",
        "spring: {config: {activate: {onProfile: 'prod, qa'}}}",
        "spring.config.activate.on-profile: '!dev & !default'",
        "spring.config.activate.on-profile: ${who:prod}",
    ],
)
def test_a_document_for_one_profile_is_served_to_no_other(tmp_path: Path, line: str) -> None:
    write(tmp_path, app=condition(line))

    assert served(tmp_path, "prod") == ["app (document #1)", "app (document #0)"]
    for profile in ("default", "dev", "PROD"):
        assert served(tmp_path, profile)[-1] == "app (document #0)"
    assert served(tmp_path, "dev") == ["app (document #0)"]


@pytest.mark.parametrize("platform", ["kubernetes", "Cloud-Foundry", "cloud_foundry", "HEROKU"])
@pytest.mark.parametrize("key", ["on-cloud-platform", "onCloudPlatform", "ON_CLOUD_PLATFORM"])
def test_a_document_for_a_cloud_platform_is_left_out(
    tmp_path: Path, key: str, platform: str
) -> None:
    write(tmp_path, app=condition(f"spring.config.activate.{key}: {platform}"))

    assert served(tmp_path, "dev") == ["app (document #0)"]


def test_the_platform_may_be_none_or_named_by_the_configuration(tmp_path: Path) -> None:
    write(tmp_path, app=condition("spring.config.activate.on-cloud-platform: none"))
    assert len(served(tmp_path, "dev")) == 2

    write(
        tmp_path,
        app=condition("spring.config.activate.on-cloud-platform: kubernetes"),
        application="spring.main.cloud-platform: Kubernetes\n",
    )
    assert len(served(tmp_path, "dev")) == 3


def test_an_empty_condition_is_none(tmp_path: Path) -> None:
    write(tmp_path, app=condition("spring.config.activate.on-profile: ''"))

    assert len(served(tmp_path, "dev")) == 2


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("spring: {profiles: prod}\n", "spring.config.activate.on-profile"),
        ("spring: {profiles: [a, b]}\n", "spring.config.activate.on-profile"),
        ("spring.Profiles: ''\n", "spring.config.activate.on-profile"),
        ("a: 1\n---\nspring.profiles: dev\n", "spring.config.activate.on-profile"),
        ("spring.config.activate: dev\n", "on-profile and on-cloud-platform"),
        ("spring.config.activate.on-cloud-platform: mars\n", "mars"),
        ("spring.config.activate.on-profile: a & b | c\n", "profile expression"),
    ],
)
def test_a_condition_that_cannot_hold_is_refused(tmp_path: Path, text: str, reason: str) -> None:
    write(tmp_path, app=text)

    with pytest.raises(UnreadableFile, match=r"^app\.yml: ") as refusal:
        served(tmp_path, "dev")

    assert reason in str(refusal.value)


@pytest.mark.parametrize(
    "files",
    [
        {"app_dev": "spring.profiles.include: x\n"},
        {"app_dev": "spring.profiles.active: [x]\n"},
        {"app": "spring.config.activate.on-profile: qa\nspring.profiles.include: x\n"},
    ],
)
def test_what_a_profile_chooses_cannot_choose_profiles(
    tmp_path: Path, files: dict[str, str]
) -> None:
    write(tmp_path, **files)

    with pytest.raises(UnreadableFile, match=r"spring\.profiles\.\S+ cannot stand in"):
        served(tmp_path, "dev")


def test_included_profiles_count_more_than_those_asked_for(tmp_path: Path) -> None:
    write(
        tmp_path,
        app="spring.profiles.include: common\n",
        app_dev="a: 1\n",
        app_common="a: 2\n",
        application_common="a: 3\n",
    )

    assert served(tmp_path, "dev") == ["app-common", "application-common", "app-dev", "app"]
    assert served(tmp_path, "default") == ["app"]


def test_a_group_brings_its_members_and_their_groups_once(tmp_path: Path) -> None:
    write(
        tmp_path,
        app="spring.profiles.group:\n  prod: [db, mq]\n  mq: rabbit, prod\n",
        **{f"app_{profile}": "a: 1\n" for profile in ("prod", "db", "mq", "rabbit")},
    )

    assert served(tmp_path, "prod") == ["app-rabbit", "app-mq", "app-db", "app-prod", "app"]
    assert served(tmp_path, "mq") == ["app-db", "app-prod", "app-rabbit", "app-mq", "app"]
    assert served(tmp_path, "db") == ["app-db", "app"]


def test_what_a_document_imports_counts_more_than_itself(tmp_path: Path) -> None:
    write(
        tmp_path,
        app=(
            "spring.config.import: optional:extra.yml\n---\n"
            f'spring.config.import: ["file:{tmp_path}/sub/a.yml", sub/b.yml]\n'
        ),
        extra="a: 1\n",
        extra_dev="a: 2\n",
        sub__a="a: 3\n",
        sub__b="spring.config.import: c.yml\n",
        sub__c="a: 4\n",
        app_dev="a: 5\n",
    )

    assert served(tmp_path, "dev") == [
        "extra-dev",
        "app-dev",
        "sub/c",
        "sub/b",
        "sub/a",
        "app (document #1)",
        "extra",
        "app (document #0)",
    ]


def test_an_import_under_a_condition_counts_with_it(tmp_path: Path) -> None:
    write(
        tmp_path,
        app=condition("spring.config.activate.on-profile: dev\nspring.config.import: extra.yml"),
        extra="a: 1\n",
    )

    assert served(tmp_path, "dev") == ["extra", "app (document #1)", "app (document #0)"]
    assert served(tmp_path, "prod") == ["app (document #0)"]


def test_a_folder_may_be_imported_and_included_profiles_may_stand_in_an_import(
    tmp_path: Path,
) -> None:
    write(
        tmp_path,
        app="spring.config.import: ${place:sub}/\n",
        sub__app="spring.profiles.include: common\n",
        sub__application="a: 1\n",
        app_common="a: 2\n",
    )

    assert served(tmp_path, "dev") == ["app-common", "sub/app", "sub/application", "app"]


@pytest.mark.parametrize(
    "location",
    [
        "missing.yml",
        "optional:missing.yml",
        "../outside.yml",
        "file:/etc/passwd.yml",
        "/etc/passwd.yml",
        "optional:configserver:http://localhost:8888",
        "classpath:x.yml",
        "https://example.com/x.yml",
        "app.yml",
        "''",
    ],
)
def test_an_import_that_is_not_here_is_left_out(tmp_path: Path, location: str) -> None:
    folder = tmp_path / "config"
    write(folder, app=f"spring.config.import: {location}\n")
    (tmp_path / "outside.yml").write_text("secret: 1\n")

    assert served(folder, "dev") == ["app"]


def test_an_import_that_does_not_exist_is_logged_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write(tmp_path, app="spring.config.import: missing.yml\n")
    backend = FolderBackend(tmp_path)

    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            backend.find(ConfigQuery("app", "dev"))

    assert caplog.messages == ["app.yml imports missing.yml, which does not exist"]


@pytest.mark.parametrize("location", ["extra.txt", "sub", "vault://x", "*/x.yml"])
def test_an_import_that_can_be_no_file_is_refused(tmp_path: Path, location: str) -> None:
    write(tmp_path, app=f"spring.config.import: '{location}'\n")

    with pytest.raises(UnreadableFile, match="neither a YAML or"):
        served(tmp_path, "dev")


def test_files_that_import_each_other_are_served_once(tmp_path: Path) -> None:
    write(tmp_path, app="spring.config.import: b.yml\n", b="spring.config.import: app.yml\n")

    assert served(tmp_path, "dev") == ["b", "app"]


def test_the_folder_of_a_label_takes_precedence_by_profile(tmp_path: Path) -> None:
    files = ("app", "app_dev", "lab1__app", "lab1__app_dev", "lab1__application", "lab2__app")
    write(tmp_path, **dict.fromkeys((*files, "feature__x__app"), "a: 1\n"))

    assert served(tmp_path, "dev") == ["app-dev", "app"]
    assert served(tmp_path, "dev", "lab1") == [
        "lab1/app-dev",
        "app-dev",
        "lab1/app",
        "lab1/application",
        "app",
    ]
    assert served(tmp_path, "x", "lab1,lab2") == ["lab1/app", "lab1/application", "lab2/app", "app"]
    assert served(tmp_path, "x", "feature/x") == ["feature/x/app", "app"]
    assert served(tmp_path, "x", "unknown") == ["app"]


def test_an_application_may_have_a_folder_in_its_name(tmp_path: Path) -> None:
    write(tmp_path, team__svc="a: 1\n", team__svc_dev="a: 2\n", application="a: 3\n")

    expected = ["team/svc-dev", "team/svc", "application"]
    assert served(tmp_path, "dev", name="team/svc") == expected


def test_files_of_labels_and_imports_are_watched(tmp_path: Path) -> None:
    write(tmp_path, app="spring.config.import: sub/\n", lab1__app="a: 1\n", sub__app="a: 1\n")
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "x.yml").write_text("a: 1\n")
    backend = FolderBackend(tmp_path)
    backend.find(ConfigQuery("app", "dev"))

    assert set(backend.stamps()) == {"app.yml", "lab1/app.yml", "sub/app.yml"}
    assert backend.imported() == {"sub/"}

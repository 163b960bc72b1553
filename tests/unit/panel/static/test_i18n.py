"""The page's words: every key that its sources use is there in every language, and no other."""

import json
import re
from pathlib import Path

import pytest

import panel

STATIC = Path(panel.__file__).parent / "static"
LANGUAGES = {file.stem: json.loads(file.read_text()) for file in (STATIC / "i18n").glob("*.json")}
SOURCES = "".join(file.read_text() for file in (*STATIC.rglob("*.js"), STATIC / "index.html"))
KEY = r"[a-z]+\.[A-Za-z0-9_.-]+"
# `t("a.b")`, `data-i18n="a.b"`, and any string that looks like a key of ours.
WHOLE = set(re.findall(rf'"({KEY})"', SOURCES))
# `t(`a.${b}`)`: all keys that begin like this.
BEGUN = set(re.findall(r"`([a-z]+\.(?:[a-z]+\.)*)\$\{", SOURCES))
PLACEHOLDER = r"\{(\w+)\}"


def is_used(key: str) -> bool:
    return key in WHOLE or any(key.startswith(beginning) for beginning in BEGUN)


def used_by_name() -> set[str]:
    """Whole keys, less what merely looks like one, as the name of a file does."""
    known = {key.partition(".")[0] for key in LANGUAGES["en"]}
    return {
        key
        for key in WHOLE
        if key.partition(".")[0] in known and not key.endswith((".js", ".css", ".json", ".svg"))
    }


def values(text: str | dict[str, str]) -> set[str]:
    """What the sentence is filled in with; of one alone the number may go without saying."""
    return set(re.findall(PLACEHOLDER, text if isinstance(text, str) else text["other"]))


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_key_is_missing(language: str) -> None:
    assert used_by_name() - set(LANGUAGES[language]) == set()


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_beginning_of_a_key_is_one_of_a_key(language: str) -> None:
    for beginning in BEGUN:
        assert any(key.startswith(beginning) for key in LANGUAGES[language]), beginning


def test_no_key_is_superfluous() -> None:
    assert [key for key in LANGUAGES["en"] if not is_used(key)] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_all_languages_have_the_same_keys(language: str) -> None:
    assert set(LANGUAGES[language]) == set(LANGUAGES["en"])


@pytest.mark.parametrize("language", LANGUAGES)
def test_all_languages_fill_in_the_same_values(language: str) -> None:
    for key, text in LANGUAGES[language].items():
        assert values(text) == values(LANGUAGES["en"][key]), key


@pytest.mark.parametrize(
    ("family", "members"),
    [
        ("state", "up degraded down starting stopped paused unknown"),
        ("problem", "degraded down starting stopped paused unknown OPEN FORCED_OPEN HALF_OPEN"),
        ("fuse", "CLOSED OPEN HALF_OPEN FORCED_OPEN DISABLED"),
        ("status", "PENDING CONFIRMED REJECTED CANCELLED"),
        ("step", "placed published stock-taken decided cancelled"),
        ("job", "done failed state.running state.done state.failed"),
        (
            "event",
            "instance-gone instance-come breaker-opened breaker-trial breaker-closed dead-letter"
            " configuration-changed fault-applied fault-healed self-preservation",
        ),
        ("about", "gateway service discovery config-server kafka postgres zipkin panel"),
    ],
)
def test_whatever_the_panel_may_send_has_a_word(family: str, members: str) -> None:
    for member in members.split():
        assert f"{family}.{member}" in LANGUAGES["en"]

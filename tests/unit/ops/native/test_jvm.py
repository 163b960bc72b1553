"""A start-up cache is used only by the program that it was made for."""

from pathlib import Path

import pytest

from fusebox.native import jvm
from fusebox.native.jvm import JavaProgram, java_environment


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> JavaProgram:
    monkeypatch.setattr(jvm, "jar_folder", lambda: tmp_path)
    (tmp_path / "aot").mkdir()
    (tmp_path / "a.jar").write_bytes(b"a")
    (tmp_path / "options").write_text("-Xmx64m\n")
    return JavaProgram("kafka", "kafka.Kafka", tmp_path / "options", (tmp_path / "a.jar",))


def test_without_a_cache_the_program_starts_all_the_same(program: JavaProgram) -> None:
    command = program.command("-Da=b", arguments=("settings",))

    assert not any("AOT" in word for word in command)
    assert command[-2:] == ["kafka.Kafka", "settings"]
    assert "-Da=b" in command


def test_a_cache_that_fits_is_used(program: JavaProgram) -> None:
    program.cache.touch()

    assert f"-XX:AOTCache={program.cache}" in program.command()


def test_another_content_of_a_jar_asks_for_another_cache(program: JavaProgram) -> None:
    before = program.cache
    program.class_path[0].write_bytes(b"ab")

    assert program.cache != before


def test_other_options_ask_for_another_cache(program: JavaProgram) -> None:
    before = program.cache
    program.options.write_text("-Xmx65m\n")

    assert program.cache != before


def test_options_from_the_users_environment_do_not_reach_our_jvms() -> None:
    theirs = {"JAVA_TOOL_OPTIONS": "-Xmx1g", "_JAVA_OPTIONS": "-ea", "PATH": "/bin"}

    assert java_environment(theirs) == {"PATH": "/bin"}

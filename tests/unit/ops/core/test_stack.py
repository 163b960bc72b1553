"""Where a stack lies and on which ports."""

from pathlib import Path

import pytest

from fusebox.core.errors import Fault
from fusebox.core.stack import Stack


def test_without_an_environment_a_stack_lies_in_the_clone_on_the_usual_ports(
    tmp_path: Path,
) -> None:
    stack = Stack.from_environment({}, clone=tmp_path)

    assert stack.home == tmp_path / ".fusebox"
    assert (stack.port("gateway"), stack.port("postgres")) == (8000, 15432)
    assert stack.url("zipkin") == "http://127.0.0.1:9411"


def test_the_offset_is_added_to_every_port(tmp_path: Path) -> None:
    plain = Stack(tmp_path, tmp_path)
    moved = Stack.from_environment({"FUSEBOX_PORT_OFFSET": "1000"}, clone=tmp_path)

    assert all(moved.port(name) == port + 1000 for name, port in plain.ports.items())


@pytest.mark.parametrize("offset", ["-1", "1.5", "x", "60000", "²"])
def test_an_offset_that_is_no_number_of_ports_is_refused(offset: str) -> None:
    with pytest.raises(Fault, match="FUSEBOX_PORT_OFFSET") as refusal:
        Stack.from_environment({"FUSEBOX_PORT_OFFSET": offset})

    assert refusal.value.exit_code == 2


def test_a_relative_home_is_made_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    assert Stack.from_environment({"FUSEBOX_HOME": "shop"}).home == tmp_path / "shop"


@pytest.mark.parametrize("name", ["a'b", 'a"b', "a;b", "a\nb"])
def test_a_home_that_the_supervisor_could_not_spell_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(Fault, match="quote"):
        Stack.from_environment({"FUSEBOX_HOME": str(tmp_path / name)})


def test_secrets_logs_and_run_files_are_the_owners_alone(stack: Stack) -> None:
    stack.make_folders()

    modes = {folder.stat().st_mode & 0o777 for folder in (stack.secrets, stack.logs, stack.run)}
    assert modes == {0o700}


def test_a_socket_whose_path_would_be_too_long_lies_in_the_temporary_folder(
    tmp_path: Path,
) -> None:
    near = Stack(Path("/srv/shop"), tmp_path)
    far = Stack(Path("/srv") / ("x" * 90), tmp_path)

    assert near.socket.parent == near.run
    assert far.socket.parent != far.run
    assert len(str(far.socket)) < 100


def test_two_homes_have_two_keys(tmp_path: Path) -> None:
    assert Stack(tmp_path / "a", tmp_path).key != Stack(tmp_path / "b", tmp_path).key


def test_listening_everywhere_the_shop_is_reached_on_the_loopback(tmp_path: Path) -> None:
    assert Stack(tmp_path, tmp_path, bind="0.0.0.0").url("gateway") == "http://127.0.0.1:8000"
    assert Stack(tmp_path, tmp_path, bind="10.1.2.3").url("gateway") == "http://10.1.2.3:8000"


def test_every_process_is_told_the_ports_with_the_offset(tmp_path: Path) -> None:
    told = Stack(tmp_path, tmp_path, offset=7).environment()

    assert told["KAFKA_PORT"] == "9099"
    assert told["CONFIG_SERVER_PORT"] == "8895"
    assert told["CONFIG_SERVER_URL"] == "http://127.0.0.1:8895"
    assert told["FUSEBOX_SECRETS"] == str(tmp_path / "secrets")

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
    environment = Stack(tmp_path, tmp_path, offset=7).environment()

    assert environment["KAFKA_PORT"] == "9099"
    assert environment["CONFIG_SERVER_PORT"] == "8895"
    assert environment["CONFIG_SERVER_URL"] == "http://127.0.0.1:8895"
    assert environment["FUSEBOX_SECRETS"] == str(tmp_path / "secrets")


@pytest.fixture
def started(tmp_path: Path) -> Stack:
    """A shop that was started with an offset, and runs."""
    stack = Stack.from_environment({"FUSEBOX_PORT_OFFSET": "6000"}, clone=tmp_path)
    stack.make_folders()
    stack.remember_address()
    (stack.run / "supervisord.pid").touch()
    return stack


def test_a_shop_remembers_the_offset_that_it_was_started_with(started: Stack) -> None:
    again = Stack.from_environment({}, clone=started.clone)

    assert again == started
    again.refuse_moved()


def test_a_shop_remembers_the_address_that_it_listens_on(tmp_path: Path) -> None:
    Stack.from_environment({"FUSEBOX_BIND": "0.0.0.0"}, clone=tmp_path).make_folders()
    Stack.from_environment({"FUSEBOX_BIND": "0.0.0.0"}, clone=tmp_path).remember_address()

    assert Stack.from_environment({}, clone=tmp_path).bind == "0.0.0.0"


@pytest.mark.parametrize("offset", ["7000", "0"])
def test_another_offset_than_that_of_the_running_shop_is_refused_with_both(
    started: Stack, offset: str
) -> None:
    moved = Stack.from_environment({"FUSEBOX_PORT_OFFSET": offset}, clone=started.clone)

    with pytest.raises(Fault) as refusal:
        moved.refuse_moved()

    assert "6000" in refusal.value.what
    assert refusal.value.what.endswith(offset)
    assert refusal.value.exit_code == 2


def test_a_shop_that_is_down_may_move(started: Stack) -> None:
    (started.run / "supervisord.pid").unlink()
    moved = Stack.from_environment({"FUSEBOX_PORT_OFFSET": "7000"}, clone=started.clone)

    moved.refuse_moved()
    moved.remember_address()

    assert Stack.from_environment({}, clone=started.clone).offset == 7000


@pytest.mark.parametrize("content", ["", "[]", "nonsense", '{"FUSEBOX_PORT_OFFSET": "x"}'])
def test_a_broken_memory_of_the_address_is_refused(started: Stack, content: str) -> None:
    (started.home / "address.json").write_text(content)

    with pytest.raises(Fault):
        Stack.from_environment({}, clone=started.clone)


def test_a_removed_shop_remembers_nothing(started: Stack) -> None:
    started.forget_address()

    assert Stack.from_environment({}, clone=started.clone).offset == 0

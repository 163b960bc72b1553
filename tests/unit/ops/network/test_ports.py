"""A port of the shop's that somebody else holds is told, with who it is."""

import os
import socket
from collections.abc import Iterator
from functools import partial

import pytest

from fusebox.cli import doctor
from fusebox.core.errors import Fault
from fusebox.core.stack import Stack
from fusebox.native import process_tree
from fusebox.native.supervisor import Supervisor
from fusebox.network import ports


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


@pytest.fixture
def at_taken_port(monkeypatch: pytest.MonkeyPatch, taken: int) -> int:
    """The gateway's port is one that another program holds; all others are free."""
    numbers = {"gateway": taken}
    monkeypatch.setattr(Stack, "port", lambda _self, name: numbers.get(name, free_port()))
    monkeypatch.setattr(Stack, "ports", numbers)
    return taken


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def test_an_instance_whose_port_is_taken_is_refused_at_once_with_two_ways_out(
    stack: Stack, at_taken_port: int
) -> None:
    with pytest.raises(Fault) as refusal:
        Supervisor(stack).start("gateway-1")

    assert f"port {at_taken_port} (gateway) is held by" in refusal.value.what
    assert f"(pid {os.getpid()})" in refusal.value.what
    assert "end it" in refusal.value.remedy
    assert "FUSEBOX_PORT_OFFSET" in refusal.value.remedy


def test_a_port_that_the_shop_itself_holds_is_in_nobodys_way(
    stack: Stack, at_taken_port: int
) -> None:
    ports.refuse_strangers(stack, {"gateway": at_taken_port}, lambda pid: pid == os.getpid())


def test_services_take_free_ports_and_are_never_refused(
    stack: Stack, at_taken_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[tuple[object, ...]] = []
    monkeypatch.setattr(Supervisor, "_call", lambda _self, *call: calls.append(call))

    Supervisor(stack).start("order-service-1")

    assert calls == [("supervisor.startProcess", "order-service-1", False)]


def test_the_doctor_of_a_running_shop_names_who_holds_its_port(
    stack: Stack, at_taken_port: int
) -> None:
    [check] = doctor._ports(stack, running=True)

    assert not check.right
    assert f"{at_taken_port} (gateway) is held by" in check.finding


def test_the_doctor_takes_a_port_of_the_shops_own_as_right(
    stack: Stack, at_taken_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process_tree, "is_own", lambda _stack, pid: pid == os.getpid())

    [check] = doctor._ports(stack, running=True)

    assert check.right


def test_a_process_is_the_shops_own_when_it_was_started_for_it(
    stack: Stack,
) -> None:
    is_own = partial(process_tree.is_own, stack)

    assert not is_own(os.getpid())
    assert not is_own(2**22 + 1)

"""What the verbs say, and how they end."""

import socket
from collections.abc import Iterator

import pytest
from click.testing import CliRunner

from fusebox.cli import up, welcome
from fusebox.cli.main import cli
from fusebox.core.errors import Fault
from fusebox.core.stack import Stack
from fusebox.core.topology import part_named
from fusebox.native import kafka
from fusebox.network import kafka_admin
from fusebox.network.ports import refuse_taken, taken_ports
from fusebox.operations import instances
from fusebox.operations.status import ShopStatus, StatusRow
from fusebox.operations.verify import invariants, report
from fusebox.runtime.driver import State


def state(instance: str) -> State:
    return State(instance, "RUNNING", pid=1, started=0, reason="")


STATES = {name: state(name) for name in ("order-service-1", "order-service-2", "kafka-1")}


def test_without_a_number_every_instance_is_meant() -> None:
    chosen = instances.chosen(STATES, "order-service", None)

    assert chosen == ["order-service-1", "order-service-2"]


def test_with_a_number_only_that_instance_is_meant() -> None:
    assert instances.chosen(STATES, "order-service", 2) == ["order-service-2"]


@pytest.mark.parametrize(("name", "number"), [("order-service", 3), ("zipkin", None)])
def test_an_instance_that_is_not_there_is_refused(name: str, number: int | None) -> None:
    with pytest.raises(Fault, match="there is no") as refusal:
        instances.chosen(STATES, name, number)

    assert refusal.value.exit_code == 2


def test_an_unknown_part_is_refused_with_the_names_of_all() -> None:
    with pytest.raises(Fault) as refusal:
        part_named("orders")

    assert "order-service" in refusal.value.remedy
    assert "zipkin" in refusal.value.remedy


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening


def test_a_taken_port_is_named_with_who_holds_it(
    stack: Stack, listener: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = listener.getsockname()[1]
    monkeypatch.setattr(Stack, "ports", {"gateway": port})
    monkeypatch.setattr(Stack, "port", lambda _self, _name: port)

    assert taken_ports(stack) == {"gateway": port}
    with pytest.raises(Fault, match=rf"port {port} \(gateway\) is held by \S+ \(pid \d+\)"):
        refuse_taken(stack)


def row(instance: str, healthy: bool = True) -> StatusRow:
    service = instance.rpartition("-")[0]
    return StatusRow(
        service, instance, "RUNNING", healthy, reason="does not answer", memory=46_000_000
    )


def test_a_status_is_healthy_only_when_all_are() -> None:
    assert ShopStatus([row("kafka-1"), row("gateway-1")]).healthy
    assert not ShopStatus([row("kafka-1"), row("gateway-1", healthy=False)]).healthy
    assert not ShopStatus([]).healthy


def test_up_on_a_shop_that_is_half_dead_says_what_to_start() -> None:
    rows = [row("order-service-1", healthy=False), row("order-service-2", healthy=False)]

    with pytest.raises(Fault, match="not all of it") as refusal:
        up.refuse_dead(ShopStatus([*rows, row("kafka-1")]))

    assert refusal.value.remedy == "make start SERVICE=order-service"


def test_the_order_to_paste_takes_three_commands_and_the_stacks_own_port(stack: Stack) -> None:
    pasted = welcome.order(stack, "you@fusebox.example")

    assert pasted.count("curl") == 3
    assert pasted.count(stack.url("gateway")) == 3


def test_the_welcome_names_make_order_before_the_order_to_paste(stack: Stack) -> None:
    text = welcome.welcome(stack)

    assert 0 < text.index("\nmake order\n") < text.index("curl")


def test_each_welcome_has_a_customer_of_its_own(stack: Stack) -> None:
    assert welcome.welcome(stack) != welcome.welcome(stack)


def test_the_report_names_who_breaks_an_invariant() -> None:
    findings = [
        invariants.Finding("no stock below zero", {"products": 3}),
        invariants.Finding("outboxes empty at rest", {"x": 12}, frozenset(map(str, range(12)))),
    ]

    text = report.as_text(findings)

    assert "holds   no stock below zero" in text
    assert "BROKEN  outboxes empty at rest" in text
    assert "and 2 more" in text
    assert text.endswith("1 of 2 are broken.")


def test_a_report_of_thousands_of_products_stays_readable() -> None:
    figures = {f"product {number}": number for number in range(3000)}

    text = report.as_text([invariants.Finding("no stock below zero", figures)])

    assert "product 9: 9, and 2990 more" in text


def test_kafka_is_told_the_stacks_ports_and_folder(stack: Stack) -> None:
    stack.make_folders()

    text = kafka.write_settings_of(stack).read_text()

    assert "listeners=PLAINTEXT://127.0.0.1:9092,CONTROLLER://127.0.0.1:9093" in text
    assert f"log.dirs={stack.data / 'kafka'}" in text
    assert "auto.create.topics.enable=false" in text


def test_a_port_on_which_nobody_listens_is_no_kafka(listener: socket.socket) -> None:
    port = listener.getsockname()[1]
    listener.close()

    assert not kafka_admin.answers("127.0.0.1", port)


def test_every_verb_has_help(monkeypatch: pytest.MonkeyPatch, stack: Stack) -> None:
    monkeypatch.setenv("FUSEBOX_HOME", str(stack.home))
    for name in cli.commands:
        assert CliRunner().invoke(cli, [name, "--help"]).exit_code == 0


def test_down_says_so_when_nothing_ran(monkeypatch: pytest.MonkeyPatch, stack: Stack) -> None:
    monkeypatch.setenv("FUSEBOX_HOME", str(stack.home))

    assert CliRunner().invoke(cli, ["down"]).output == "Nothing was running.\n"


def test_status_of_a_shop_that_is_down_fails(monkeypatch: pytest.MonkeyPatch, stack: Stack) -> None:
    monkeypatch.setenv("FUSEBOX_HOME", str(stack.home))
    done = CliRunner().invoke(cli, ["status"])

    assert (done.exit_code, done.output) == (1, "The shop is down; `make up` starts it.\n")


def test_clean_removes_what_the_shop_had_and_nothing_else(
    monkeypatch: pytest.MonkeyPatch, stack: Stack
) -> None:
    monkeypatch.setenv("FUSEBOX_HOME", str(stack.home))
    stack.make_folders()
    (stack.home / "mine").touch()

    CliRunner().invoke(cli, ["clean", "--yes"])

    assert [path.name for path in stack.home.iterdir()] == ["mine"]

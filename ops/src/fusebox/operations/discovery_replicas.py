"""`scale` for discovery: replicas that know one another, and everybody who knows them all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from fusebox.core.errors import Fault
from fusebox.core.stack import Stack
from fusebox.core.topology import number_of
from fusebox.network.ports import free_port_after
from fusebox.operations import instances
from fusebox.operations.configuration import settings
from fusebox.operations.drivers import running_driver
from fusebox.runtime import remote, stopper
from fusebox.runtime.driver import Driver
from fusebox.state import eureka_zone
from fusebox.state.eureka_zone import DISCOVERY

MOST_REPLICAS = 5


def scale(stack: Stack, number: int) -> list[str]:
    """Run the replicas 1 to `number` of discovery and no others; returns their names.

    A new one fills itself from the others before it answers.
    """
    _refuse_number(number)
    driver = running_driver(stack)
    with instances.alone(stack, DISCOVERY):
        before = remote.run(stack, eureka_zone.urls)
        replicas = _addresses(stack, before, number)
        # Who starts has to know its peers, and who ends may be asked by nobody any more.
        _publish(stack, replicas)
        try:
            _bring_up(stack, driver, replicas)
        except Fault:
            _publish(stack, before)
            _withdraw(driver, [name for name in replicas if name not in before])
            raise
        _withdraw(driver, [name for name in before if name not in replicas])
    return list(replicas)


def _refuse_number(number: int) -> None:
    if not 1 <= number <= MOST_REPLICAS:
        raise Fault(
            f"discovery cannot have {number} replicas",
            remedy=f"give N=1 to N={MOST_REPLICAS}, as in `make scale SERVICE=discovery N=3`.",
            exit_code=2,
        )


def _addresses(stack: Stack, before: Mapping[str, str], number: int) -> dict[str, str]:
    """Where each is to be; a process that is there stays where it is."""
    names = [DISCOVERY.instance(replica) for replica in range(1, number + 1)]
    if stack.mode == "docker":
        port = DISCOVERY.port_inside
        return {name: f"http://{stack.container(name)}:{port}" for name in names}
    replicas: dict[str, str] = {}
    port = max(map(_port, before.values()))
    for instance in names:
        if instance not in before:
            port = free_port_after(stack, port)
        replicas[instance] = before.get(instance, f"http://{stack.host}:{port}")
    return replicas


def _port(url: str) -> int:
    return int(url.rpartition(":")[2])


def _publish(stack: Stack, replicas: Mapping[str, str]) -> None:
    value = eureka_zone.value(replicas.values()) if len(replicas) > 1 else None
    settings.set_key(stack, eureka_zone.KEY, value, None)


def _bring_up(stack: Stack, driver: Driver, replicas: Mapping[str, str]) -> None:
    """Have all `replicas` running; those that do already are left as they are."""
    states = driver.states()
    for instance, url in replicas.items():
        if instance not in states:
            environment = {"SERVER_PORT": str(_port(url))}
            driver.add(DISCOVERY, number_of(instance), environment)
    down = [name for name in replicas if name not in states or not states[name].is_running]
    instances.launch(stack, driver, down)


def _withdraw(driver: Driver, surplus: Sequence[str]) -> None:
    there = driver.states()
    stopper.withdraw(driver, [name for name in surplus if name in there])

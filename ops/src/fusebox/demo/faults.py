"""Fault injection: what the demo breaks and changes is written down, and undone in the end."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from fusebox.core.errors import Fault
from fusebox.core.stack import Stack
from fusebox.core.topology import number_of, part_of
from fusebox.operations import instances as operations
from fusebox.operations.drivers import driver_of


class InstanceControl(Protocol):
    """What can be done to a shop; `number` None means every instance."""

    def instances(self, service: str) -> list[str]: ...
    def kill(self, service: str, number: int | None) -> None: ...
    def start(self, service: str) -> None: ...
    def scale(self, service: str, number: int) -> None: ...


class StackInstanceControl:
    def __init__(self, stack: Stack) -> None:
        self._stack = stack

    def instances(self, service: str) -> list[str]:
        return operations.chosen(driver_of(self._stack).states(), service, None)

    def kill(self, service: str, number: int | None) -> None:
        operations.kill(self._stack, service, number)

    def start(self, service: str) -> None:
        operations.start(self._stack, service, None)

    def scale(self, service: str, number: int) -> None:
        operations.scale(self._stack, service, number)


class FaultInjector:
    """Everything is noted before it is done, so that an interrupted kill is undone as well."""

    def __init__(self, control: InstanceControl) -> None:
        self._control = control
        self._killed: set[str] = set()
        self._original_sizes: dict[str, int] = {}

    @property
    def is_undone(self) -> bool:
        return not self._killed and not self._original_sizes

    def instances(self, service: str) -> list[str]:
        return self._control.instances(service)

    def kill(self, service: str, number: int | None = None) -> None:
        instances = self._control.instances(service)
        self._killed |= {name for name in instances if number in (None, number_of(name))}
        self._control.kill(service, number)

    def start(self, service: str) -> None:
        """Bring back what of `service` was killed."""
        self._control.start(service)
        self._killed -= self._killed_of(service)

    def scale(self, service: str, number: int) -> None:
        """Run `number` instances for the time being."""
        instances = self._control.instances(service)
        if len(instances) != number:
            self._original_sizes.setdefault(service, len(instances))
            self._control.scale(service, number)

    def undo(self, announce: Callable[[str], None]) -> None:
        """Undo it all, announcing each repair before it is done.

        Tries every repair before it raises the first failure.
        """
        failures: list[Fault] = []
        for repair in (self._scale_back, self._start_again):
            try:
                repair(announce)
            except Fault as fault:
                failures.append(fault)
        if failures:
            raise Fault(
                f"the demo could not undo what it broke: {failures[0].what}",
                where=failures[0].where,
                remedy="make heal",
            )

    def _scale_back(self, announce: Callable[[str], None]) -> None:
        for service, number in list(self._original_sizes.items()):
            announce(f"{service} is scaled back to {number}")
            self._control.scale(service, number)
            self._killed -= self._killed_of(service) - set(self._control.instances(service))
            del self._original_sizes[service]

    def _start_again(self, announce: Callable[[str], None]) -> None:
        for service in sorted({part_of(instance).name for instance in self._killed}):
            announce(f"{service} is started again")
            self.start(service)

    def _killed_of(self, service: str) -> set[str]:
        return {instance for instance in self._killed if part_of(instance).name == service}

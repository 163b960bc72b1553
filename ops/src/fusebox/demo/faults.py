"""The hand of the tour: what it breaks and changes is written down, and mended in the end."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from fusebox.core.errors import Fault
from fusebox.core.stack import Stack
from fusebox.core.topology import number_of, part_of
from fusebox.operations import instances as control
from fusebox.runtime.drivers import driver_of


class Hands(Protocol):
    """What can be done to a shop; `number` None means every instance."""

    def instances(self, service: str) -> list[str]: ...
    def kill(self, service: str, number: int | None) -> None: ...
    def start(self, service: str) -> None: ...
    def scale(self, service: str, number: int) -> None: ...


class StackHands:
    def __init__(self, stack: Stack) -> None:
        self._stack = stack

    def instances(self, service: str) -> list[str]:
        return control.chosen(driver_of(self._stack).states(), service, None)

    def kill(self, service: str, number: int | None) -> None:
        control.kill(self._stack, service, number)

    def start(self, service: str) -> None:
        control.start(self._stack, service, None)

    def scale(self, service: str, number: int) -> None:
        control.scale(self._stack, service, number)


class Breakage:
    """Everything is noted before it is done, so that an interrupted kill is mended as well."""

    def __init__(self, hands: Hands) -> None:
        self._hands = hands
        self._dead: set[str] = set()
        self._sizes: dict[str, int] = {}

    @property
    def is_whole(self) -> bool:
        return not self._dead and not self._sizes

    def instances(self, service: str) -> list[str]:
        return self._hands.instances(service)

    def kill(self, service: str, number: int | None = None) -> None:
        there = self._hands.instances(service)
        self._dead |= {each for each in there if number in (None, number_of(each))}
        self._hands.kill(service, number)

    def start(self, service: str) -> None:
        """Bring back what of `service` was killed."""
        self._hands.start(service)
        self._dead -= self._dead_of(service)

    def scale(self, service: str, number: int) -> None:
        """Run `number` instances for the time being."""
        there = self._hands.instances(service)
        if len(there) != number:
            self._sizes.setdefault(service, len(there))
            self._hands.scale(service, number)

    def mend(self, tell: Callable[[str], None]) -> None:
        """Undo it all, telling each repair before it is done; tries them all before it raises."""
        faults: list[Fault] = []
        for repair in (self._scale_back, self._bring_back):
            try:
                repair(tell)
            except Fault as fault:
                faults.append(fault)
        if faults:
            raise Fault(
                f"the tour could not mend what it broke: {faults[0].what}",
                where=faults[0].where,
                remedy="make heal",
            )

    def _scale_back(self, tell: Callable[[str], None]) -> None:
        for service, number in list(self._sizes.items()):
            tell(f"{service} is scaled back to {number}")
            self._hands.scale(service, number)
            self._dead -= self._dead_of(service) - set(self._hands.instances(service))
            del self._sizes[service]

    def _bring_back(self, tell: Callable[[str], None]) -> None:
        for service in sorted({part_of(each).name for each in self._dead}):
            tell(f"{service} is brought back")
            self.start(service)

    def _dead_of(self, service: str) -> set[str]:
        return {each for each in self._dead if part_of(each).name == service}

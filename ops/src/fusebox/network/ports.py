"""Who holds a port that the shop wants."""

from __future__ import annotations

import errno
import socket
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass

import psutil

from fusebox.core.errors import Fault
from fusebox.core.stack import Stack
from fusebox.core.topology import LOOPBACK_PORTS

HIGHEST_PORT = 65_536


@dataclass(frozen=True)
class Holder:
    pid: int | None
    name: str

    def __str__(self) -> str:
        if self.pid is None:
            return self.name
        return f"{self.name} (pid {self.pid})"


def taken_ports(stack: Stack) -> dict[str, int]:
    """The stack's ports that cannot be listened on now."""
    return {name: port for name, port in stack.ports.items() if not _is_free(stack, name, port)}


def _is_free(stack: Stack, name: str, port: int) -> bool:
    return _can_listen("127.0.0.1" if name in LOOPBACK_PORTS else stack.bind, port)


def _can_listen(bind: str, port: int) -> bool:
    with socket.socket(socket.AF_INET6 if ":" in bind else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((bind, port))
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise Fault(
                    f"cannot listen on {bind}:{port}: {error.strerror}",
                    remedy="set FUSEBOX_BIND to an address of this machine, or leave it unset.",
                ) from error
            return False
        return True


def free_port_after(stack: Stack, port: int) -> int:
    """The next one that nobody holds and this stack does not keep for somebody else.

    Near the fixed ones, for above 32768 begin those that outgoing connections take.
    """
    reserved = set(stack.ports.values())
    return next(
        candidate
        for candidate in range(port + 1, HIGHEST_PORT)
        if candidate not in reserved and _can_listen(stack.bind, candidate)
    )


def listening_port(pid: int) -> int | None:
    """The port that `pid` takes connections on; None when there is none."""
    with suppress(psutil.NoSuchProcess, psutil.AccessDenied):
        for connection in psutil.Process(pid).net_connections("tcp"):
            if connection.status == psutil.CONN_LISTEN:
                return int(connection.laddr[1])
    return None


def holder_of(port: int) -> Holder:
    """Who listens on `port`; another user's process shows its name only to root."""
    holder = Holder(None, "a connection that has just ended, for a minute at most")
    for connection in psutil.net_connections("tcp"):
        if connection.status == psutil.CONN_LISTEN and connection.laddr[1:2] == (port,):
            if connection.pid is not None:
                return Holder(connection.pid, psutil.Process(connection.pid).name())
            holder = Holder(None, "a process of another user")
    return holder


def refuse_taken(stack: Stack) -> None:
    taken = taken_ports(stack)
    if not taken:
        return
    holders = [f"port {port} ({name}) is held by {holder_of(port)}" for name, port in taken.items()]
    raise Fault(
        "; ".join(holders),
        remedy="end it, or move this shop: FUSEBOX_PORT_OFFSET=1000 make up adds 1000 to every"
        " port (and FUSEBOX_HOME keeps two shops apart).",
    )


def strangers(
    stack: Stack, ports: Mapping[str, int], is_own: Callable[[int], bool]
) -> dict[str, Holder]:
    """Who holds those of `ports` that are taken, unless its pid is one of the shop's own."""
    taken = [name for name, port in ports.items() if not _is_free(stack, name, port)]
    holders = {name: holder_of(ports[name]) for name in taken}
    return {
        name: holder for name, holder in holders.items() if not (holder.pid and is_own(holder.pid))
    }


def refuse_strangers(stack: Stack, ports: Mapping[str, int], is_own: Callable[[int], bool]) -> None:
    """For who is to take `ports` while the rest of the shop runs."""
    holders = strangers(stack, ports, is_own)
    if not holders:
        return
    raise Fault(
        "; ".join(
            f"port {ports[name]} ({name}) is held by {holder}" for name, holder in holders.items()
        ),
        remedy="end it and try again, or move the whole shop: make down, then"
        " FUSEBOX_PORT_OFFSET=1000 make up, which adds 1000 to every port.",
    )

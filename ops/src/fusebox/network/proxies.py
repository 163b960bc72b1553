"""The proxies of the environment: for what lies outside, never for the shop itself."""

from __future__ import annotations

from collections.abc import Mapping

from fusebox.core.stack import Stack

EXCEPTIONS = ("no_proxy", "NO_PROXY")
LOOPBACK = ("127.0.0.1", "localhost", "::1")


def without_own_hosts(environment: Mapping[str, str], stack: Stack) -> dict[str, str]:
    """`environment`, with the shop's own addresses among those that no proxy is asked for."""
    listed = [
        host.strip()
        for name in EXCEPTIONS
        for host in environment.get(name, "").split(",")
        if host.strip()
    ]
    exceptions = ",".join(dict.fromkeys((*listed, *LOOPBACK, stack.host)))
    return {**environment, **dict.fromkeys(EXCEPTIONS, exceptions)}

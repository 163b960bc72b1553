"""Makes a container that is not ours slow: its processes halt, run for a moment, halt again.

A shell inside does it, as the user of the processes; it ends with the container.
"""

from __future__ import annotations

from fusebox.docker import compose
from fusebox.runtime.throttles import RUN_SECONDS

# -1 is every process of this user but the shell itself and the container's first.
LOOP = "while :; do kill -s STOP -- -1; sleep $1; kill -s CONT -- -1; sleep $2; done"
# The brackets keep the search from finding itself.
END = (
    "for p in /proc/[0-9]*; do"
    " if grep -q fusebox-[t]hrottle $p/cmdline 2>/dev/null; then kill -s KILL ${p#/proc/}; fi;"
    " done; kill -s CONT -- -1"
)


def apply(container: str, milliseconds: int) -> None:
    seconds = f"{milliseconds / 1000:g}", f"{RUN_SECONDS:g}"
    compose.docker("exec", "--detach", container, "sh", "-c", LOOP, "fusebox-throttle", *seconds)


def release(container: str) -> None:
    compose.docker("exec", container, "sh", "-c", END)

"""Makes a process that is not ours slow: it stands still, runs for a moment, stands still.

`python -m fusebox.native.throttle PID MILLISECONDS` runs under the supervisor for as long as the
process lives, and always leaves it running.
"""

from __future__ import annotations

import signal
import sys
import time

import psutil

from fusebox.native import process_tree
from fusebox.runtime.throttles import RUN_SECONDS


def throttle(pid: int, seconds: float) -> None:
    """Halt the family of `pid` for `seconds` again and again; returns when it has ended."""
    try:
        while True:
            family = process_tree.pause(pid)
            try:
                time.sleep(seconds)
            finally:
                process_tree.let_go(family)
            time.sleep(RUN_SECONDS)
    except psutil.NoSuchProcess:
        return
    finally:
        # A signal may come between the first halted process and the last.
        process_tree.resume(pid)


def main() -> None:
    # An exception, so that what stands still is let go.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    throttle(int(sys.argv[1]), int(sys.argv[2]) / 1000)


if __name__ == "__main__":
    main()

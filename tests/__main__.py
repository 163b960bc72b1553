"""All tests, in two suites side by side: most of the time a shop is only waited for.

`python -m tests` shows one as it goes on, and the other when both have ended.
"""

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

from .running import HOME

WATCHED = "chaos"
# Of about the same length.  What needs no shop comes first in both: it takes all of a core, and
# the rolling restart and the random outages, with which one of them ends, would feel it first.
SUITES = {
    WATCHED: ("tests/unit", "tests/chaos"),
    "e2e": ("tests/contract", "tests/component", "tests/e2e"),
}
PYTEST = (sys.executable, "-m", "pytest", "-p", "no:cacheprovider")


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        outputs = {suite: Path(folder, suite) for suite in SUITES}
        running = [started(suite, output) for suite, output in outputs.items()]
        try:
            codes = [process.wait() for process in running]
        except KeyboardInterrupt:
            for process in running:
                process.send_signal(signal.SIGINT)
            codes = [process.wait() for process in running]
        for output in outputs.values():
            print(output.read_text(), end="")
    return int(any(codes))


def started(suite: str, output: Path) -> subprocess.Popen[bytes]:
    """The suite on a shop of its own; what is not watched is written to `output`."""
    with output.open("wb") as file:
        return subprocess.Popen(
            [*PYTEST, *SUITES[suite]],
            env={**os.environ, "FUSEBOX_TEST_HOME": f"{HOME}-{suite}"},
            stdout=None if suite == WATCHED else file,
            stderr=subprocess.STDOUT,
            # Delivered twice, from the terminal and from here, an interrupt would end the clean-up.
            start_new_session=True,
        )


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    sys.exit(main())

"""A process does not load what is installed beside it for somebody else."""

import subprocess
import sys


def test_the_log_of_a_process_loads_nothing_for_terminals() -> None:
    script = "import sys, chassis.observability.logging; print('rich' in sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)

    assert loaded.stdout.strip() == "False", loaded.stderr


def test_what_was_kept_out_is_there_for_whoever_needs_it_later() -> None:
    script = "import chassis.observability.logging, rich.console; print('there')"
    loaded = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)

    assert loaded.stdout.strip() == "there", loaded.stderr

"""A reader that has gone ends no work that was begun."""

import subprocess
import sys
from pathlib import Path

WORK = """
import sys
from pathlib import Path
from fusebox.core import pipes
pipes.{how}()
print("begun", flush=True)
sys.stdin.readline()
for number in range(20_000):
    print("step", number)
print("to the other stream", file=sys.stderr, flush=True)
Path(sys.argv[1]).touch()
"""


def run_without_reader(how: str, mark: Path) -> int:
    """The exit status of work whose reader leaves after the first line."""
    process = subprocess.Popen(
        [sys.executable, "-c", WORK.format(how=how), str(mark)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stdout.readline() == b"begun\n"
    process.stdout.close()
    process.stdin.close()
    return process.wait(30)


def test_a_verb_whose_reader_leaves_finishes_what_it_has_begun(tmp_path: Path) -> None:
    assert run_without_reader("outlive_readers", tmp_path / "finished") == 0
    assert (tmp_path / "finished").exists()


def test_a_verb_that_only_writes_ends_with_its_reader(tmp_path: Path) -> None:
    assert run_without_reader("end_with_reader", tmp_path / "finished") < 0
    assert not (tmp_path / "finished").exists()


def test_what_is_written_arrives_while_somebody_reads() -> None:
    code = "from fusebox.core import pipes; pipes.outlive_readers(); print('Grüße')"

    done = subprocess.run([sys.executable, "-X", "utf8", "-c", code], capture_output=True)

    assert done.stdout.decode() == "Grüße\n"


def test_closed_streams_are_left_alone() -> None:
    code = "import sys; sys.stdout = None; from fusebox.core import pipes; pipes.outlive_readers()"

    assert subprocess.run([sys.executable, "-c", code]).returncode == 0

"""Output into a pipe whose reader has gone, as with `make up | head -1`."""

from __future__ import annotations

import io
import os
import signal
import sys
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer


class PatientOutput(io.FileIO):
    """Once nobody reads any more, what is written goes nowhere and the work goes on."""

    def write(self, data: ReadableBuffer, /) -> int:
        try:
            return super().write(data)
        except BrokenPipeError:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self.fileno())
            os.close(nowhere)
            return super().write(data)


def outlive_readers() -> None:
    """From now on a closed pipe ends no verb half-way: a start that was begun is finished."""
    sys.stdout = _patient(sys.stdout)
    sys.stderr = _patient(sys.stderr)


def end_with_reader() -> None:
    """For a verb that does nothing but write, maybe for ever: it ends as `cat` would."""
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)


def _patient(stream: TextIO) -> TextIO:
    if stream is None:  # closed already when Python began
        return stream
    stream.flush()
    raw = PatientOutput(stream.fileno(), "w", closefd=False)
    return io.TextIOWrapper(
        io.BufferedWriter(raw),
        encoding=stream.encoding,
        errors=stream.errors,
        line_buffering=True,
    )

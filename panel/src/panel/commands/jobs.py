"""Runs verbs as child processes and remembers the last of them, with what they said."""

from __future__ import annotations

import asyncio
import os
import secrets
import signal
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Literal

from chassis.core.errors import Overloaded
from panel.commands.verbs import VerbCall
from panel.settings import FUSEBOX

JOBS_KEPT = 20
JOBS_AT_ONCE = 4
LONGEST_SECONDS = 600.0
END_SECONDS = 5.0
LONGEST_TEXT = 2_000
LONGEST_LINE = 64 * 1024

JobState = Literal["running", "done", "failed"]
OnLine = Callable[[str], None]


@dataclass
class Job:
    id: str
    call: VerbCall
    state: JobState = "running"
    text: str = ""
    process: asyncio.subprocess.Process | None = None

    def document(self) -> dict[str, str]:
        return {"job": self.id, "command": self.call.make, "state": self.state, "text": self.text}

    def say(self, line: str) -> None:
        self.text = f"{self.text}\n{line}".strip()[-LONGEST_TEXT:]

    def interrupt(self) -> None:
        """As Ctrl-C does, so that it undoes what it has begun."""
        if self.process is not None and self.state == "running":
            with suppress(ProcessLookupError):
                self.process.send_signal(signal.SIGINT)


class JobRunner:
    """`on_change` hears of every beginning, line and end, `on_end` of the ends.

    Lives on the event loop.
    """

    def __init__(
        self,
        on_change: Callable[[], None],
        on_end: Callable[[], None],
        environment: Mapping[str, str],
    ) -> None:
        self._on_change = on_change
        self._on_end = on_end
        # A child that is read line by line must not wait with what it says.
        self._environment = {**environment, "NO_COLOR": "1", "PYTHONUNBUFFERED": "1"}
        self._tasks: set[asyncio.Task[None]] = set()
        self.jobs: list[Job] = []

    def start(
        self,
        call: VerbCall,
        on_line: OnLine | None = None,
        seconds: float | None = LONGEST_SECONDS,
    ) -> Job:
        """Run it, for `seconds` at the most.  Raises Overloaded while too many are under way."""
        running = [job for job in self.jobs if job.state == "running"]
        if len(running) >= JOBS_AT_ONCE:
            raise Overloaded(
                f"{JOBS_AT_ONCE} commands are under way: wait until one of them is done."
            )
        job = Job(secrets.token_hex(8), call)
        self.jobs = [*self.jobs, job]
        for old in [old for old in self.jobs if old.state != "running"][:-JOBS_KEPT]:
            self.jobs.remove(old)
        task = asyncio.create_task(self._run(job, on_line or job.say, seconds))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return job

    def documents(self) -> list[dict[str, str]]:
        """The newest first."""
        return [job.document() for job in reversed(self.jobs[-JOBS_KEPT:])]

    async def close(self) -> None:
        for job in self.jobs:
            job.interrupt()
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=END_SECONDS)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    async def _run(self, job: Job, on_line: OnLine, seconds: float | None) -> None:
        self._on_change()
        try:
            code = await self._run_to_its_end(job, on_line, seconds)
        except OSError as error:
            job.say(f"{FUSEBOX} could not be started: {error}")
            code = os.EX_OSERR
        job.state = "done" if code == 0 else "failed"
        self._on_change()
        self._on_end()

    async def _run_to_its_end(self, job: Job, on_line: OnLine, seconds: float | None) -> int:
        job.process = await asyncio.create_subprocess_exec(
            FUSEBOX,
            *job.call.arguments,
            env=self._environment,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            limit=LONGEST_LINE,
        )
        try:
            async with asyncio.timeout(seconds):
                await self._read(job.process, on_line)
                return await job.process.wait()
        except TimeoutError:
            job.say(f"not done within {seconds:g} s, and ended")
            return os.EX_TEMPFAIL
        finally:
            with suppress(ProcessLookupError):
                job.process.kill()

    async def _read(self, process: asyncio.subprocess.Process, on_line: OnLine) -> None:
        assert process.stdout is not None
        while True:
            try:
                line = await process.stdout.readline()
            except ValueError:  # a line beyond the limit: what follows is read on
                continue
            if not line:
                return
            on_line(line.decode("utf-8", "replace").rstrip())
            self._on_change()

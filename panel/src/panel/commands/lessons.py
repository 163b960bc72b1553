"""A lesson: the guided tour of `make demo`, told line by line as it runs."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable
from typing import Any

from chassis.core.errors import Conflict
from panel.commands.jobs import Job, JobRunner
from panel.commands.verbs import VerbCall

LINES_KEPT = 200
LINE_KINDS = ("says", "does", "sees", "asserts", "fails")


class Lessons:
    """One at a time.  `on_line` gets each line as it comes."""

    def __init__(self, jobs: JobRunner, on_line: Callable[[dict[str, Any]], None]) -> None:
        self._jobs = jobs
        self._on_line = on_line
        self._job: Job | None = None
        self._step, self._steps, self._title = 0, 0, ""
        self._lines: deque[dict[str, str]] = deque(maxlen=LINES_KEPT)

    @property
    def is_running(self) -> bool:
        return self._job is not None and self._job.state == "running"

    def start(self, call: VerbCall) -> Job:
        if self.is_running:
            raise Conflict("A lesson is under way: end it, or wait for its end.", code="lesson")
        self._step, self._steps, self._title = 0, 0, ""
        self._lines.clear()
        self._job = self._jobs.start(call, self._take)
        return self._job

    def stop(self) -> Job:
        if self._job is None or not self.is_running:
            raise Conflict("No lesson is under way.", code="lesson")
        self._job.interrupt()
        return self._job

    def document(self) -> dict[str, Any]:
        return {
            "running": self.is_running,
            "step": self._step,
            "steps": self._steps,
            "title": self._title or None,
            "lines": list(self._lines),
        }

    def _take(self, text: str) -> None:
        try:
            line = json.loads(text)
        except ValueError:
            line = {"kind": "fails", "text": text}
        if not isinstance(line, dict) or not text:
            return
        if line.get("kind") == "step":
            self._step, self._steps = line["step"], line["steps"]
            self._title = line["title"]
            line = {"kind": "says", "text": line["title"]}
        if line.get("kind") in LINE_KINDS:
            shown = {"kind": line["kind"], "text": str(line.get("text", ""))}
            self._lines.append(shown)
            if self._job is not None and line["kind"] == "fails":
                self._job.say(shown["text"])
            self._on_line(shown)

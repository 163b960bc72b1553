"""Does what a page asks for: by a verb of the command line, in a process of its own."""

from __future__ import annotations

from panel.commands.jobs import Job, JobRunner
from panel.commands.lessons import Lessons
from panel.commands.verbs import LessonRequest, LessonStopRequest, TrafficRequest, VerbRequest


class CommandDesk:
    """There is one steady load and one lesson; everything else stands side by side."""

    def __init__(self, jobs: JobRunner, lessons: Lessons) -> None:
        self._jobs = jobs
        self._lessons = lessons
        self._traffic: Job | None = None

    def do(self, request: VerbRequest) -> tuple[str, str]:
        """The `make` command that does the same, and the id of the job.

        Raises Conflict or Overloaded when it cannot begin.
        """
        call = request.call()
        if isinstance(request, TrafficRequest):
            job = self._steady(request)
            return call.make if request.rate else "Ctrl-C in make traffic", job.id if job else ""
        if isinstance(request, LessonStopRequest):
            return call.make, self._lessons.stop().id
        if isinstance(request, LessonRequest):
            return call.make, self._lessons.start(call).id
        return call.make, self._jobs.start(call).id

    def _steady(self, request: TrafficRequest) -> Job | None:
        """A new rate takes the place of the one before; 0 of it."""
        before = self._traffic
        if before is not None:
            before.interrupt()
        self._traffic = self._jobs.start(request.call(), seconds=None) if request.rate else None
        return self._traffic or before

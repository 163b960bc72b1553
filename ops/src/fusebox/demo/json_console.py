"""The demo for a program to read: a line of JSON for each thing that happens."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from fusebox.demo.console import DemoConsole


@dataclass
class JsonConsole(DemoConsole):
    """`kind` is step (with number, count and title), says, does, sees, asserts or fails."""

    def begin_step(self, number: int, of: int, title: str, why: str) -> None:
        self._write("step", step=number, steps=of, title=title)
        self._write("says", text=why)

    def event(self, label: str, text: str) -> None:
        self._write("does", text=f"{label}: {text}")

    def show(self, lines: Sequence[str]) -> None:
        for line in lines:
            self._write("sees", text=line.rstrip())

    def check(self, assertion: str, holds: bool, evidence: str) -> None:
        self._write("asserts" if holds else "fails", text=f"{assertion} ({evidence})")
        self.count(assertion, holds, evidence)

    def trace_link(self, url: str) -> None:
        self.traces.append(url)
        self._write("sees", text=f"trace: {url}")

    def note(self, text: str) -> None:
        self._write("says", text=text)

    def _write(self, kind: str, **fields: object) -> None:
        print(json.dumps({"kind": kind, **fields}), file=self.out, flush=True)

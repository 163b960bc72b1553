"""A change of the configuration: from the edit to its effect in every process of the stack."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import requests

from bench.harness.figures import percentile
from bench.harness.report import table
from bench.harness.stack_under_test import BenchError, RunningStack
from fusebox.runtime import health

KEY = "fusebox.retry.budget"
FILE = "application.properties"
ROUNDS = 5
PATIENCE_SECONDS = 20.0
PAUSE = 0.1
GATEWAY = "gateway-1"

# Requests the environment of one process.
Probe = Callable[[], requests.Response]


def section(running: RunningStack) -> list[str]:
    probes = _probes(running)
    edits = [_by_edit(running, probes, number) for number in range(ROUNDS)]
    edits_of_verbs, verbs = zip(
        *(_by_verb(running, probes, number) for number in range(ROUNDS)), strict=True
    )
    measured = {
        "a file edited, nobody told": edits,
        "the edit that `make set` makes": edits_of_verbs,
        "`make set`, from its start": verbs,
    }
    rows = [
        (name, f"{percentile(took, 50):.2f} s", f"{max(took):.2f} s")
        for name, took in measured.items()
    ]
    return [
        "## A change of the configuration",
        "",
        *table((f"from … to its effect in all {len(probes)} processes", "p50", "longest"), rows),
        "",
        f"{ROUNDS} of each; asked every {PAUSE} s.",
    ]


def _probes(running: RunningStack) -> list[Probe]:
    """The gateway's actuator wants an admin's token, the others are asked where they listen."""
    session, admin = requests.Session(), running.admin()

    def probe(url: str) -> Probe:
        return lambda: session.get(f"{url}/actuator/env", timeout=5)

    others = [
        probe(at.url) for name, at in health.registered(running.stack).items() if name != GATEWAY
    ]
    return [lambda: admin.call("GET", "/actuator/env"), *others]


def _by_edit(running: RunningStack, probes: list[Probe], number: int) -> float:
    value = f"0.2{number}"
    with _restored(running.stack.config / FILE) as file:
        began = time.monotonic()
        file.write_text(f"{KEY}={value}\n")
        return _until_everywhere(probes, value, began)


def _by_verb(running: RunningStack, probes: list[Probe], number: int) -> tuple[float, float]:
    """Seconds since the verb wrote its file, and since it began."""
    value, began = f"0.3{number}", time.monotonic()
    with ThreadPoolExecutor(1) as pool:
        setting = pool.submit(running.verb, "set", KEY, value)
        took = _until_everywhere(probes, value, began)
        since_the_edit = time.time() - (running.stack.config / FILE).stat().st_mtime
        setting.result()
    running.verb("set", KEY)
    return since_the_edit, took


@contextmanager
def _restored(file: Path) -> Iterator[Path]:
    before = file.read_bytes() if file.exists() else None
    try:
        yield file
    finally:
        if before is None:
            file.unlink()
        else:
            file.write_bytes(before)


def _until_everywhere(probes: list[Probe], value: str, began: float) -> float:
    """Seconds since `began` until every process has had the value."""
    pending = list(probes)
    while pending:
        pending = [probe for probe in pending if not _has_value(probe, value)]
        if time.monotonic() - began > PATIENCE_SECONDS:
            raise BenchError(f"{len(pending)} processes do not have {KEY} = {value}")
        if pending:
            time.sleep(PAUSE)
    return time.monotonic() - began


def _has_value(probe: Probe, value: str) -> bool:
    sources = probe().json()["propertySources"]
    values = [
        source["properties"][KEY]["value"] for source in sources if KEY in source["properties"]
    ]
    return value in map(str, values)

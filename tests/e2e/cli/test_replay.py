"""A replay through a fault: catalog-service dies while customers buy, and the last piece counts."""

import json
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest

from ...running import FUSEBOX

INVOICES = 300
# One invoice a minute in the file: some twelve seconds, enough to kill and start in.
SPEED = 1500


@pytest.fixture
def replaying(shop: Any) -> Iterator[subprocess.Popen[str]]:
    command = [str(FUSEBOX), "replay", "--synthetic", str(INVOICES), "--speed", str(SPEED)]
    with subprocess.Popen(
        [*command, "--concurrency", "16", "--json"],
        env=shop.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def test_a_replay_reconciles_although_catalog_was_killed(
    shop: Any, replaying: subprocess.Popen[str]
) -> None:
    wait_for_line(replaying, "orders: ")
    shop.kill("catalog-service")
    shop.start("catalog-service")
    output, errors = replaying.communicate(timeout=150)

    assert replaying.returncode == 0, output + errors
    report = json.loads(output)
    orders = report["orders"]
    assert report["reconciled"] is True
    assert orders["degraded"] + report["pace"]["retried"] > 0, "no order met the fault"
    assert orders["placed"] == orders["confirmed"] + orders["rejected"] + orders["cancelled"]
    assert orders["placed"] + orders["refused"] == orders["wanted"]
    assert report["lines"]["leftOut"]


def wait_for_line(process: subprocess.Popen[str], beginning: str) -> None:
    """Read on until a line of the progress begins so."""
    assert process.stderr is not None
    for line in process.stderr:
        if line.strip().startswith(beginning):
            return
    raise AssertionError(f"it ended before {beginning!r}")

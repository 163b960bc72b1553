"""On a real shop every assertion of the demo holds, and it leaves the shop as it was."""

import json
import subprocess
from typing import Any

import pytest

from fusebox.demo.steps import STEPS

from ..running import FUSEBOX

# A minute on an idle machine of two cores, and the tests are never alone on theirs.
LONGEST_SECONDS = 420
SEEDS = ("CATALOG-0001", "CATALOG-0002", "CATALOG-0003")


def demo(shop: Any, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [FUSEBOX, "demo", *options],
        env=shop.environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=LONGEST_SECONDS,
    )


def instances(shop: Any) -> list[str]:
    status = json.loads(shop.run("status", "--json").stdout)
    return [row["instance"] for row in status["processes"]]


@pytest.mark.timeout(LONGEST_SECONDS + 60)
def test_all_assertions_of_the_demo_hold_and_it_leaves_the_shop_as_it_was(shop: Any) -> None:
    running, stocks = instances(shop), [shop.stock(product_id) for product_id in SEEDS]

    done = demo(shop, "--pace", "fast")

    output = done.stdout
    assert done.returncode == 0, output + done.stderr
    headings = [line for line in output.splitlines() if line.startswith("──")]
    assert [step.title in line for step, line in zip(STEPS, headings, strict=True)] == [True] * 8
    assert "✗" not in output
    assert "breaker OPEN, 5 of 5" in output
    assert output.count(f"{shop.stack.url('zipkin')}/zipkin/traces/") == len(STEPS) - 1
    assert "1 × CONFIRMED" in output
    assert "\x1b[" not in output
    assert max(len(line) for line in output.splitlines()) <= 80
    assert instances(shop) == running
    assert [shop.stock(product_id) for product_id in SEEDS] == stocks


def test_a_single_step_prepares_what_it_needs_and_undoes_it(shop: Any) -> None:
    done = demo(shop, "--pace", "fast", "--step", "3")

    assert done.returncode == 0, done.stdout + done.stderr
    assert "With catalog-service dead the breaker is open." in done.stdout
    assert "1 of 8" not in done.stdout
    shop.run("status")


def test_the_demo_does_not_begin_in_a_shop_that_is_broken(shop: Any) -> None:
    shop.kill("config-server")
    try:
        done = demo(shop)
    finally:
        shop.start("config-server")

    assert done.returncode == 1
    assert "config-server-1: killed" in done.stderr
    assert "make heal" in done.stderr
    assert done.stdout == ""

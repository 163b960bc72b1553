"""The verbs as a newcomer meets them: slips, taken ports, closed pipes, wrong keys."""

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from socket import create_server, socket

from ...running import FUSEBOX, RunningShop, processes_only

KEY = "fusebox.breaker.fail-max"


@contextmanager
def port_held(shop: RunningShop, name: str) -> Iterator[socket]:
    """By this process, once the part itself has let go of it."""
    address = shop.address(name)
    deadline = time.monotonic() + 10
    while True:
        try:
            listener = create_server(address)
            break
        except OSError:
            assert time.monotonic() < deadline
            time.sleep(0.1)
    with listener:
        yield listener


@processes_only
def test_a_part_whose_port_is_taken_is_refused_at_once_and_starts_when_it_is_free(
    shop: RunningShop,
) -> None:
    shop.kill("gateway")
    try:
        with port_held(shop, "gateway") as listener:
            began = time.monotonic()
            refused = shop.run("start", "gateway", check=False)

            assert time.monotonic() - began < 30
            assert refused.returncode == 1
            assert f"port {listener.getsockname()[1]} (gateway) is held by" in refused.stderr
            assert f"(pid {os.getpid()})" in refused.stderr
    finally:
        shop.start("gateway")

    assert shop.rows()["gateway-1"]["healthy"]


def test_a_closed_pipe_ends_no_start(shop: RunningShop) -> None:
    shop.kill("catalog-service")
    start = subprocess.Popen(
        [FUSEBOX, "start", "catalog-service"],
        env=shop.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    assert start.stdout is not None
    start.stdout.close()

    assert start.wait(180) == 0
    assert shop.rows()["catalog-service-1"]["healthy"]


def test_a_roll_shows_its_steps_beside_its_result(shop: RunningShop) -> None:
    rolled = shop.run("roll", "catalog-service")

    assert rolled.stdout == "catalog-service-1 was restarted\n"
    assert "stop catalog-service-1" in rolled.stderr
    assert "start catalog-service-1" in rolled.stderr


def test_what_was_broken_on_purpose_is_no_error_of_status(shop: RunningShop) -> None:
    shop.run("pause", "user-service")
    try:
        paused = shop.run("status")
    finally:
        shop.run("heal")

    assert "on purpose: paused" in paused.stdout


def test_a_key_is_set_only_if_it_is_read_and_is_shown_with_what_it_was(shop: RunningShop) -> None:
    misspelled = shop.run("set", "fusebox.breaker.failmax", "3", check=False)
    assert misspelled.returncode == 2
    assert f"did you mean {KEY}?" in misspelled.stderr

    changed = shop.run("set", KEY, "3", "--service", "order-service")
    try:
        assert f"order-service-1: {KEY} 5 → 3" in changed.stdout
        assert f"{KEY}=3  (order-service)" in shop.run("set").stdout
    finally:
        taken_back = shop.run("set", KEY, "--service", "order-service")
    assert f"order-service-1: {KEY} 3 → 5" in taken_back.stdout
    assert "was not set by hand" in shop.run("set", KEY, "--service", "order-service").stdout


def test_the_shop_is_found_without_its_offset_and_another_one_is_refused(
    shop: RunningShop,
) -> None:
    own = shop.stack.offset
    environment = {**shop.environment}
    del environment["FUSEBOX_PORT_OFFSET"]

    completed = subprocess.run([FUSEBOX, "status"], env=environment, capture_output=True, text=True)
    environment["FUSEBOX_PORT_OFFSET"] = str(own + 1)
    refused = subprocess.run([FUSEBOX, "status"], env=environment, capture_output=True, text=True)

    assert completed.returncode == 0, completed.stdout + completed.stderr
    assert refused.returncode == 2
    assert f"FUSEBOX_PORT_OFFSET={own}" in refused.stderr
    assert str(own + 1) in refused.stderr

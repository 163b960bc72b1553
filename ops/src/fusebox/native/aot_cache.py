"""Makes the JVM's start-up caches: Kafka and Zipkin run once on the side, watched, and ended.

Runs under the supervisor at the lowest priority after a start that found no cache.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from fusebox.core.files import locked
from fusebox.core.stack import Stack
from fusebox.core.wait import wait_until
from fusebox.native import kafka, zipkin
from fusebox.native.jars import jar_folder
from fusebox.native.jvm import JavaProgram
from fusebox.network import http, kafka_admin

HOST = "127.0.0.1"
SCRATCH = ".training-"
READY_SECONDS = 180.0
# The JVM writes its cache while it ends, at the lowest priority.
WRITE_SECONDS = 300.0
LOWEST_PRIORITY = 19
SPANS_TAKEN = 202
ZIPKIN_PAGES = ("/zipkin/", "/zipkin/config.json", "/api/v2/services", "/api/v2/trace/1")


def main() -> int:
    os.nice(LOWEST_PRIORITY)
    # An exception, so that the scratch folders are cleared away.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    stack = Stack.from_environment(os.environ)
    folder = jar_folder() / "aot"
    folder.mkdir(exist_ok=True)
    with locked(folder / ".lock", wait=False) as mine:
        if mine:  # otherwise another stack is making them
            for left in folder.glob(f"{SCRATCH}*"):
                shutil.rmtree(left)
            _make_missing(stack, folder)
    return 0


def _make_missing(stack: Stack, folder: Path) -> None:
    for train, program in (
        (_make_cache_of_kafka, kafka.program(stack)),
        (_make_cache_of_zipkin, zipkin.program(stack)),
    ):
        if not program.cache.exists():
            with tempfile.TemporaryDirectory(prefix=SCRATCH, dir=folder) as scratch:
                train(stack, program, Path(scratch))
            _remove_outdated(program, folder)


def _make_cache_of_kafka(stack: Stack, program: JavaProgram, scratch: Path) -> None:
    client, controller = _free_port(), _free_port()
    settings = scratch / "kafka.properties"
    template = stack.native / "kafka.properties"
    kafka.write_settings(settings, template, HOST, HOST, (client, controller), scratch / "data")
    subprocess.run(kafka.format_command(stack, settings), check=True)

    def is_exercised() -> bool:
        return kafka_admin.answers(HOST, client) and bool(
            kafka_admin.make_topics(f"{HOST}:{client}")
        )

    output = scratch / "cache"
    command = program.training_command(output, arguments=(str(settings),))
    _make_cache(command, is_exercised, output, program.cache)


def _make_cache_of_zipkin(_stack: Stack, program: JavaProgram, scratch: Path) -> None:
    port = _free_port()
    output = scratch / "cache"
    command = program.training_command(output, *zipkin.properties(HOST, port))
    _make_cache(command, lambda: _is_used(f"http://{HOST}:{port}"), output, program.cache)


def _is_used(zipkin_url: str) -> bool:
    """Whether it has taken a span and shown its page: it loads what for only when it is asked."""
    now = int(time.time() * 1e6)
    span = {"traceId": "1", "id": "1", "name": "training", "timestamp": now, "duration": 1}
    return (
        http.get(f"{zipkin_url}/health").ok
        and http.post(f"{zipkin_url}/api/v2/spans", [span]).status == SPANS_TAKEN
        and all(http.get(f"{zipkin_url}{page}").ok for page in ZIPKIN_PAGES)
    )


def _make_cache(
    command: list[str], is_exercised: Callable[[], bool], output: Path, target: Path
) -> None:
    with subprocess.Popen(command) as process:
        try:
            wait_until(is_exercised, READY_SECONDS, command[-1])
            process.send_signal(signal.SIGTERM)
            process.wait(WRITE_SECONDS)
        finally:
            process.kill()
    output.chmod(0o644)  # other users may start a shop with these libraries too
    output.replace(target)


def _remove_outdated(program: JavaProgram, folder: Path) -> None:
    for cache in folder.glob(f"{program.name}-*.aot"):
        if cache != program.cache:
            cache.unlink()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


if __name__ == "__main__":
    sys.exit(main())

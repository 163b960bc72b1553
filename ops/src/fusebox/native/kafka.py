"""Kafka as a plain process: one KRaft node, its settings and its storage."""

from __future__ import annotations

import base64
import uuid
from pathlib import Path

from fusebox.core.files import write_whole
from fusebox.core.stack import Stack
from fusebox.native.jars import Jar, jar_folder, read_lock
from fusebox.native.jvm import JavaProgram


def kafka_jars(stack: Stack) -> list[Jar]:
    return [jar for jar in read_lock(stack.native / "jars.lock") if jar.used_by == "kafka"]


def program(stack: Stack, main: str = "kafka.Kafka") -> JavaProgram:
    return JavaProgram(
        name="kafka",
        main=main,
        options=stack.native / "kafka.jvm",
        class_path=tuple(jar_folder() / jar.file for jar in kafka_jars(stack)),
    )


def settings_file(stack: Stack) -> Path:
    return stack.run / "kafka.properties"


def command(stack: Stack) -> list[str]:
    return program(stack).command(arguments=(str(settings_file(stack)),))


def write_settings(
    path: Path, template: Path, bind: str, host: str, ports: tuple[int, int], data: Path
) -> None:
    """`ports` are the clients' and the controller's, which never leaves this machine."""
    client, controller = ports
    own = {
        "listeners": f"PLAINTEXT://{bind}:{client},CONTROLLER://127.0.0.1:{controller}",
        "advertised.listeners": f"PLAINTEXT://{host}:{client}",
        "controller.quorum.voters": f"1@127.0.0.1:{controller}",
        "log.dirs": str(data),
    }
    lines = "".join(f"{name}={value}\n" for name, value in own.items())
    write_whole(path, f"{template.read_text()}\n{lines}".encode())


def data_folder(stack: Stack) -> Path:
    return stack.data / "kafka"


def write_settings_of(stack: Stack) -> Path:
    path = settings_file(stack)
    ports = stack.port("kafka"), stack.port("kafka-controller")
    template = stack.native / "kafka.properties"
    write_settings(path, template, stack.bind, stack.host, ports, data_folder(stack))
    return path


def format_command(stack: Stack, settings: Path) -> list[str]:
    cluster = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
    storage_tool = program(stack, "kafka.tools.StorageTool")
    return storage_tool.command(
        # In one word: an id may begin with a dash.
        arguments=("format", "--ignore-formatted", f"--cluster-id={cluster}", "-c", str(settings))
    )


def is_formatted(data: Path) -> bool:
    # Written last by the storage tool, so a half-formatted folder is formatted again.
    return (data / "meta.properties").exists()

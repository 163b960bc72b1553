"""Ending a stack, whichever driver it has, and removing what it leaves."""

from __future__ import annotations

import shutil

from fusebox.core.stack import Stack
from fusebox.docker import startup as containers
from fusebox.native import startup as processes


def down(stack: Stack) -> bool:
    """Leave nothing running and the data where they are; False when nothing ran."""
    return containers.down(stack) if stack.mode == "docker" else processes.down(stack)


def clean(stack: Stack) -> None:
    """Remove the stack with all its data; it has to be down."""
    if stack.mode == "docker":
        containers.clean(stack)
    if stack.mode == "docker" and stack.data.exists() and any(stack.data.iterdir()):
        return  # the rest is a shop's of plain processes
    processes.clean(stack)
    for folder in (stack.config, stack.data, stack.logs, stack.home / "secrets", stack.run):
        shutil.rmtree(folder, ignore_errors=True)
    stack.forget_address()
    if stack.home.is_dir() and not any(stack.home.iterdir()):
        stack.home.rmdir()

"""The event loop: uvloop's where it has been installed, asyncio's elsewhere."""

import asyncio
from collections.abc import Coroutine
from typing import Any

try:
    import uvloop as faster
except ImportError:  # it has no build for every platform
    import asyncio as faster  # type: ignore[no-redef]


def new() -> asyncio.AbstractEventLoop:
    return faster.new_event_loop()


def run(work: Coroutine[Any, Any, None]) -> None:
    with asyncio.Runner(loop_factory=new) as runner:
        runner.run(work)

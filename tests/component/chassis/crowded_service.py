"""A service under gunicorn that tells how many requests it has worked on at once."""

import os
import threading
from typing import Any

from flask import Flask

from chassis.config.settings import Settings
from chassis.runtime import gunicorn
from chassis.runtime.flask import create_app, for_anybody
from chassis.runtime.service import Process, begin

SERVICE = "order-service"
# So many meet before any of them is answered, unless it takes too long.
MEET_SECONDS = 10


def build() -> tuple[Process[Any], Flask]:
    threads = int(os.environ["THREADS"])
    source = {"name": "test", "source": {"fusebox.threads": threads}}
    process = begin(SERVICE, Settings, lambda: [source])
    app = create_app(__name__, process)
    meeting = threading.Barrier(threads)
    lock = threading.Lock()
    under_way: list[int] = [0, 0]

    @app.get("/crowd")
    @for_anybody
    def crowd() -> dict[str, int]:
        with lock:
            under_way[0] += 1
            under_way[1] = max(under_way)
        meeting.wait(MEET_SECONDS)
        with lock:
            under_way[0] -= 1
        return {"most": under_way[1]}

    return process, app


if __name__ == "__main__":
    gunicorn.serve(SERVICE, build)

"""A real config server on a free port, over a folder that the test fills."""

import asyncio
import http.client
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import requests
from aiohttp import web

from config_server.app import create_app
from config_server.repository import Repository


@dataclass
class ConfigServer:
    folder: Path
    port: int = 0
    session: requests.Session = field(default_factory=requests.Session)

    def write(self, name: str, text: str) -> None:
        (self.folder / name).write_text(text, encoding="utf-8")

    def call(self, method: str, path: str, **headers: str) -> requests.Response:
        url = f"http://127.0.0.1:{self.port}{path}"
        return self.session.request(method, url, headers=headers, timeout=5)

    def get(self, path: str, **headers: str) -> requests.Response:
        return self.call("GET", path, **headers)

    def sources(self, path: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.get(path).json()["propertySources"]
        return found

    def status_of_raw(self, path: str) -> int:
        """The status for `path` as it stands, which clients would put in order beforehand."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request("GET", path)
            return connection.getresponse().status
        finally:
            connection.close()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ConfigServer]:
    found = ConfigServer(tmp_path)
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    runner = web.AppRunner(create_app(Repository(tmp_path)))
    found.port = asyncio.run_coroutine_threadsafe(_listen(runner), loop).result(5)
    with found.session:
        yield found
    asyncio.run_coroutine_threadsafe(runner.cleanup(), loop).result(5)
    loop.call_soon_threadsafe(loop.stop)
    thread.join(5)
    loop.close()


async def _listen(runner: web.AppRunner) -> int:
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    port: int = runner.addresses[0][1]
    return port

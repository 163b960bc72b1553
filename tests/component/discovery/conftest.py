"""A real discovery on a free port, with a clock that the test moves."""

import asyncio
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
import requests
from aiohttp import web

from discovery.app import create_app
from discovery.models import Clock


@dataclass
class Discovery:
    """Discovery as a client sees it; `get`, `post` … take paths below /eureka."""

    base: str = ""
    now: float = 1_000_000.0
    session: requests.Session = field(default_factory=requests.Session)

    def call(self, method: str, path: str, **given: Any) -> requests.Response:
        return self.session.request(method, f"{self.base}{path}", timeout=5, **given)

    def get(self, path: str, accept: str | None = "application/json") -> requests.Response:
        return self.call("GET", path, headers={"Accept": accept})

    def put(self, path: str) -> requests.Response:
        return self.call("PUT", path)

    def delete(self, path: str) -> requests.Response:
        return self.call("DELETE", path)

    def register(
        self, id_: str = "h:probe:1", app: str = "PROBE", **more: Any
    ) -> requests.Response:
        instance = {
            "instanceId": id_,
            "hostName": "127.0.0.1",
            "app": app,
            "ipAddr": "127.0.0.1",
            "dataCenterInfo": {"@class": "x", "name": "MyOwn"},
            "vipAddress": app.lower(),
            **more,
        }
        given = {key: value for key, value in instance.items() if value is not None}
        return self.call("POST", f"/apps/{app}", json={"instance": given})

    def names(self) -> list[str]:
        found = self.get("/apps").json()["applications"]["application"]
        return [application["name"] for application in found]


@pytest.fixture
def discovery() -> Iterator[Discovery]:
    server = Discovery()
    app = create_app(clock=Clock(lambda: server.now, lambda: server.now))
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    runner = web.AppRunner(app)
    port = asyncio.run_coroutine_threadsafe(_listen(runner), loop).result(5)
    server.base = f"http://127.0.0.1:{port}/eureka"
    with server.session:
        yield server
    asyncio.run_coroutine_threadsafe(runner.cleanup(), loop).result(5)
    loop.call_soon_threadsafe(loop.stop)
    thread.join(5)
    loop.close()


async def _listen(runner: web.AppRunner) -> int:
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    port: int = runner.addresses[0][1]
    return port

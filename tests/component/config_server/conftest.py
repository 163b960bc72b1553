"""A real config server on a free port, over a folder that the test fills."""

import asyncio
import http.client
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import requests
from aiohttp import web
from psycopg import sql
from sqlalchemy import Engine, create_engine, text

from config_server.app import create_app
from config_server.backends.folder import FolderBackend
from config_server.cipher import Cipher
from config_server.model import Backend
from fusebox.core import secrets
from fusebox.core.stack import Stack
from fusebox.network import postgres_probe

COLUMNS = "APPLICATION text, PROFILE text, LABEL text"
KEY = "a-key-for-the-reference-server-only"


@dataclass
class ConfigServer:
    folder: Path
    port: int = 0
    session: requests.Session = field(default_factory=requests.Session)
    changed: list[set[str] | None] = field(default_factory=list)

    def write(self, name: str, text: str) -> None:
        (self.folder / name).write_text(text, encoding="utf-8")

    def call(
        self, method: str, path: str, data: Any = None, **headers: str | None
    ) -> requests.Response:
        url = f"http://127.0.0.1:{self.port}{path}"
        return self.session.request(method, url, headers=headers, data=data, timeout=5)

    def post(self, path: str, data: Any = None, **headers: str) -> requests.Response:
        return self.call("POST", path, data, **{"Content-Type": "text/plain", **headers})

    def get(self, path: str, **headers: str) -> requests.Response:
        return self.call("GET", path, **headers)

    def sources(self, path: str) -> list[dict[str, Any]]:
        sources: list[dict[str, Any]] = self.get(path).json()["propertySources"]
        return sources

    def status_of_raw(self, path: str) -> int:
        """The status for `path` as it stands, which clients would put in order beforehand."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request("GET", path)
            return connection.getresponse().status
        finally:
            connection.close()


@contextmanager
def served(
    folder: Path, backend: Backend, cipher: Cipher | None = None, decrypts: bool = True
) -> Iterator[ConfigServer]:
    server = ConfigServer(folder)
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    runner = web.AppRunner(create_app(backend, cipher, server.changed.append, decrypts))
    server.port = asyncio.run_coroutine_threadsafe(_listen(runner), loop).result(5)
    try:
        with server.session:
            yield server
    finally:
        asyncio.run_coroutine_threadsafe(runner.cleanup(), loop).result(5)
        asyncio.run_coroutine_threadsafe(loop.shutdown_default_executor(), loop).result(5)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(5)
        loop.close()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ConfigServer]:
    """Without a key, over the folder that the test fills."""
    with served(tmp_path, FolderBackend(tmp_path)) as server:
        yield server


@pytest.fixture
def server_with_key(tmp_path: Path) -> Iterator[ConfigServer]:
    with served(tmp_path, FolderBackend(tmp_path), Cipher(KEY)) as server:
        yield server


async def _listen(runner: web.AppRunner) -> int:
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    port: int = runner.addresses[0][1]
    return port


@pytest.fixture
def engine(postgres_stack: Stack, tmp_path: Path) -> Iterator[Engine]:
    name = f"config_{tmp_path.name.lower()}"[:60]
    with postgres_probe.connect(postgres_stack) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    password = secrets.secret(postgres_stack, "postgres-password")
    port = postgres_stack.port("postgres")
    engine = create_engine(f"postgresql+psycopg://postgres:{password}@127.0.0.1:{port}/{name}")
    with engine.begin() as connection:
        connection.execute(text(f"CREATE TABLE PROPERTIES ({COLUMNS}, KEY text, VALUE text)"))
    yield engine
    engine.dispose()


def put(engine: Engine, *rows: tuple[str, str | None, str, str, str | None]) -> None:
    names = ("application", "profile", "label", "key", "value")
    with engine.begin() as connection:
        connection.execute(
            text("INSERT INTO PROPERTIES VALUES (:application, :profile, :label, :key, :value)"),
            [dict(zip(names, row, strict=True)) for row in rows],
        )

"""A service that costs hardly anything: what stands behind the gateways that are measured.

`python -m bench.gateway_comparison.upstream PORT JWKS`: a small JSON document for every address,
`/long/BYTES` for a long one, the public keys at their address; every body is read and counted.
"""

import asyncio
import sys
from typing import cast

import httptools

from gateway.http import event_loop

PRODUCT = (
    b'{"productId":"CATALOG-%04d","productName":"Berlin","unitPrice":1500,"stock":100,'
    b'"createdAt":"2026-11-01T10:00:00Z"}'
)
CATALOGS = b"[" + b",".join(PRODUCT % number for number in range(3)) + b"]"
KEYS = b"/.well-known/jwks.json"
LONG = b"/long/"
CHUNK = bytes(65_536)


def answer(body: bytes, length: int | None = None) -> bytes:
    """As gunicorn's looks."""
    return (
        b"HTTP/1.1 200 OK\r\nServer: gunicorn\r\nDate: Sat, 21 Nov 2026 16:45:42 GMT\r\n"
        b"Connection: keep-alive\r\nContent-Type: application/json\r\nContent-Length: %d\r\n"
        b"X-Trace-Id: 463ac35c9f6413ad48485a3953bb6124\r\n\r\n%b"
    ) % (len(body) if length is None else length, body)


class UpstreamProtocol(asyncio.Protocol):
    _transport: asyncio.Transport

    def __init__(self, keys: bytes) -> None:
        self._keys = answer(keys)
        self._usual = answer(CATALOGS)
        self._parser = httptools.HttpRequestParser(self)
        self._left = 0
        self._taken = 0
        self._is_full = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_url(self, url: bytes) -> None:
        self._url = url
        self._taken = 0

    def on_body(self, chunk: bytes) -> None:
        self._taken += len(chunk)

    def on_message_complete(self) -> None:
        if self._taken:
            self._transport.write(answer(b"%d" % self._taken))
        elif self._url.startswith(LONG):
            self._left = int(self._url.removeprefix(LONG))
            self._transport.write(answer(b"", self._left))
            self._send_more()
        else:
            self._transport.write(self._keys if self._url == KEYS else self._usual)

    def pause_writing(self) -> None:
        self._is_full = True

    def resume_writing(self) -> None:
        self._is_full = False
        self._send_more()

    def _send_more(self) -> None:
        while self._left and not self._is_full:
            chunk = CHUNK[: self._left]
            self._left -= len(chunk)
            self._transport.write(chunk)


async def serve(port: int, keys: bytes) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: UpstreamProtocol(keys), "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    event_loop.run(serve(int(sys.argv[1]), sys.argv[2].encode()))

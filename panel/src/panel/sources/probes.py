"""Whether Kafka and PostgreSQL answer, asked in a few bytes of their own protocols."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Awaitable, Callable

from fusebox.network.kafka_admin import API_VERSIONS
from panel.sources.actuators import Silent

ANSWER_SECONDS = 0.6

Exchange = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


# SSLRequest, to which every server answers with one byte, whoever asks.
SSL_REQUEST = struct.pack(">ii", 8, 80877103)


class ConnectionProbe:
    """Asks again on the same connection, where the server lets one do so (`keeps`)."""

    def __init__(self, host: str, port: int, exchange: Exchange, keeps: bool = True) -> None:
        self._host, self._port = host, port
        self._exchange = exchange
        self._keeps = keeps
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def check(self) -> None:
        """Raises Silent."""
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                if self._streams is None:
                    self._streams = await asyncio.open_connection(self._host, self._port)
                await self._exchange(*self._streams)
            if not self._keeps:
                self.close()
        except TimeoutError as error:
            self.close()
            raise Silent(f"does not answer within {ANSWER_SECONDS:g} s") from error
        except (OSError, EOFError) as error:
            self.close()
            raise Silent("takes no connections") from error

    def close(self) -> None:
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None


async def ask_kafka(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """ApiVersions, which a broker answers as soon as it serves."""
    writer.write(struct.pack(">i", len(API_VERSIONS)) + API_VERSIONS)
    await writer.drain()
    (size,) = struct.unpack(">i", await reader.readexactly(4))
    await reader.readexactly(size)


async def ask_postgres(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(SSL_REQUEST)
    await writer.drain()
    await reader.readexactly(1)

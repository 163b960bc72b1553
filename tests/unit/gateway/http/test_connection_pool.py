"""Connections to instances that cannot be connected to."""

import asyncio

import pytest

from gateway.http.connection_pool import ConnectionPool
from gateway.http.upstream_messages import NotConnected


@pytest.mark.parametrize("host", ["a..b", f"{'a' * 64}.example", ".", "a b"])
def test_a_host_that_is_none_is_one_that_takes_no_connection(host: str) -> None:
    async def connect() -> None:
        await ConnectionPool().connect(host, 9, 2)

    with pytest.raises(NotConnected):
        asyncio.run(connect())

from __future__ import annotations

import asyncio
from contextlib import suppress

import pytest

from gate import store as store_module
from gate.store import Store


def test_store_that_takes_connections_and_answers_nothing_is_left_with_none_of_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As one that is stopped (`kill -STOP`) does: each try would leave a connection open."""
    monkeypatch.setattr(store_module, "TIMEOUT_S", 0.02)
    monkeypatch.setattr(store_module, "RETRY_S", 0.01)
    ended: list[bool] = []

    async def say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            await reader.read()
        ended.append(True)
        writer.close()

    async def scenario() -> None:
        server = await asyncio.start_server(say_nothing, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        store = Store(f"redis://127.0.0.1:{port}/0", b"return 1")
        trying = asyncio.create_task(store.keep_connected())
        async with asyncio.timeout(10):
            while len(ended) < 3:
                await asyncio.sleep(0.01)
        assert not store.ready.is_set()
        trying.cancel()
        await asyncio.gather(trying, return_exceptions=True)
        server.close()
        await server.wait_closed()

    asyncio.run(scenario())

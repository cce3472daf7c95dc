"""Asking HTTP servers from Python: answers told apart on a connection, and a list of requests each asked once."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence

import httptools
import uvloop

TIMEOUT_S = 300

OnAnswer = Callable[["Connection", int, bytes], None]
OnEnd = Callable[["Connection", Exception | None], None]


class Connection(asyncio.Protocol):
    """One connection; `on_answer` gets each answer's status and request id (empty where there is none).

    `on_end` is called when it has ended; `is_kept` says whether the server takes another request on it.
    """

    def __init__(self, on_answer: OnAnswer, on_end: OnEnd) -> None:
        self._on_answer, self._on_end = on_answer, on_end
        self._parser = httptools.HttpResponseParser(self)
        self._request_id = b""
        self.is_kept = True

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def send(self, request: bytes) -> None:
        """The caller sends the next one when the answer to this one has come."""
        self._transport.write(request)  # type: ignore[attr-defined]

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def connection_lost(self, error: Exception | None) -> None:
        self._on_end(self, error)

    def on_header(self, name: bytes, value: bytes) -> None:
        if len(name) == 12 and name.lower() == b"x-request-id":
            self._request_id = value

    def on_message_complete(self) -> None:
        request_id, self._request_id = self._request_id, b""
        self.is_kept = self._parser.should_keep_alive()
        status: int = self._parser.get_status_code()
        self._on_answer(self, status, request_id)


async def connect(port: int, on_answer: OnAnswer, on_end: OnEnd) -> Connection:
    loop = asyncio.get_running_loop()
    _, connection = await loop.create_connection(lambda: Connection(on_answer, on_end), "127.0.0.1", port)
    return connection


def ask_each(port: int, requests: Sequence[bytes], *, n_connections: int = 16) -> Counter[int]:
    """Each request once, in turn, one under way on every connection; how often each status came."""
    return uvloop.run(asyncio.wait_for(_ask_each(port, requests, n_connections), TIMEOUT_S))


async def _ask_each(port: int, requests: Sequence[bytes], n_connections: int) -> Counter[int]:
    statuses: Counter[int] = Counter()
    waiting = iter(requests)
    is_done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    opening: set[asyncio.Task[None]] = set()

    async def begin() -> None:
        next_request(await connect(port, answered, ended))

    def next_request(connection: Connection) -> None:
        request = next(waiting, None)
        if request is not None:
            connection.send(request)

    def answered(connection: Connection, status: int, request_id: bytes) -> None:
        statuses[status] += 1
        if statuses.total() == len(requests):
            is_done.set_result(None)
        elif connection.is_kept:
            next_request(connection)
        else:
            opening.add(asyncio.create_task(begin()))

    def ended(connection: Connection, error: Exception | None) -> None:
        if connection.is_kept and not is_done.done():
            is_done.set_exception(error or ConnectionError("The server closed a connection."))

    await asyncio.gather(*(begin() for _ in range(min(n_connections, len(requests)))))
    await is_done
    return statuses

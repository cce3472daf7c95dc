"""One connection to Redis that speaks just enough of its protocol: calls go out as bytes, answers come in order.

It reconnects for ever, loads the script at every connection, and fails the calls under way when it breaks.
It never lets an exception of a caller reach the connection, which others share.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from enum import Enum
from typing import Any

import hiredis
from redis.connection import parse_url

logger = logging.getLogger(__name__)

RETRY_S = 0.2
TIMEOUT_S = 5.0


class Failed(Enum):
    """Why a call has no answer. NOT_DONE: it was never sent, or refused. UNSURE: it was sent, and may be done.

    EMPTIED: refused, as the store has lost its counters and they are not rebuilt yet.
    """

    NOT_DONE = "not done"
    EMPTIED = "emptied"
    UNSURE = "unsure"


class NotSent(ConnectionError):
    """There is no connection to send on."""


Done = Callable[[bytes | Failed], None]


def encode(*parts: bytes) -> bytes:
    """A command in Redis's wire format."""
    return b"*%d\r\n" % len(parts) + b"".join(bulk(part) for part in parts)


def bulk(part: bytes) -> bytes:
    return b"$%d\r\n%s\r\n" % (len(part), part)


class StoreConnection(asyncio.Protocol):
    """Matches answers to calls, first come first served."""

    def __init__(self, on_lost: Callable[[], None]) -> None:
        self._reader = hiredis.Reader()
        self._waiting: deque[Callable[[Any], None]] = deque()
        self._on_lost = on_lost
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport  # type: ignore[assignment]

    def send(self, data: bytes, done: Callable[[Any], None]) -> None:
        """Sends one command; `done` gets its answer, or a ConnectionError."""
        if self.transport is None or self.transport.is_closing():
            done(NotSent("closed"))
            return
        self._waiting.append(done)
        self.transport.write(data)

    def data_received(self, data: bytes) -> None:
        self._reader.feed(data)
        while (answer := self._reader.gets()) is not False:
            done = self._waiting.popleft()
            try:
                done(answer)
            except Exception:
                logger.exception("answer_not_taken")

    def connection_lost(self, error: Exception | None) -> None:
        self.transport = None
        waiting, self._waiting = self._waiting, deque()
        for done in waiting:
            done(ConnectionError(str(error or "closed")))
        self._on_lost()


class Store:
    """Runs one script on Redis. `ready` is set while calls can be made, `may_be_empty` when its counters are in doubt.

    So they are at every connection, and when the script says so.
    """

    def __init__(self, url: str, script: bytes) -> None:
        self._options = parse_url(url)  # type: ignore[no-untyped-call]
        self._script = script
        self._sha = b""
        self._connection: StoreConnection | None = None
        self._lost = asyncio.Event()
        self.ready = asyncio.Event()
        self.may_be_empty = asyncio.Event()

    def call(self, key: bytes, arguments: bytes, n_arguments: int, done: Done) -> None:
        """Runs the script with one key and `n_arguments` already encoded; `done` gets its answer or its failure."""
        if self._connection is None:
            done(Failed.NOT_DONE)
            return
        head = b"*%d\r\n$7\r\nEVALSHA\r\n" % (4 + n_arguments) + bulk(self._sha) + b"$1\r\n1\r\n" + bulk(key)
        self._connection.send(head + arguments, lambda answer: self._answered(answer, done))

    async def keep_connected(self) -> None:
        """Runs until cancelled."""
        while True:
            try:
                await self._connect()
                self._lost.clear()
                self.ready.set()
                self.may_be_empty.set()
                await self._lost.wait()
            except (OSError, hiredis.HiredisError, TimeoutError) as error:
                logger.warning("store_not_reached", extra={"error": str(error)})
            finally:
                self.ready.clear()
                self._disconnect()
            await asyncio.sleep(RETRY_S)

    def drop_connection(self) -> None:
        """Gives the connection up: it does not answer in time, and its late answers would be of no use."""
        self._disconnect()

    async def _connect(self) -> None:
        loop, options = asyncio.get_running_loop(), self._options
        make = lambda: StoreConnection(self._lost.set)  # noqa: E731
        if "path" in options:
            opening = loop.create_unix_connection(make, options["path"])
        else:
            is_tls = "ssl" in options.get("connection_class", type).__name__.lower()
            opening = loop.create_connection(
                make, options.get("host", "localhost"), options.get("port", 6379), ssl=is_tls or None
            )
        transport, connection = await asyncio.wait_for(opening, TIMEOUT_S)
        try:
            async with asyncio.timeout(TIMEOUT_S):
                for command in self._greeting():
                    await _ask(connection, command)
                self._sha = await _ask(connection, encode(b"SCRIPT", b"LOAD", self._script))
        except BaseException:
            # A store that is stopped takes connections all the same: each would stay open.
            transport.abort()
            raise
        self._connection = connection

    def _greeting(self) -> list[bytes]:
        options, commands = self._options, []
        if password := options.get("password"):
            names = [name.encode() for name in (options.get("username"), password) if name]
            commands.append(encode(b"AUTH", *names))
        if db := options.get("db"):
            commands.append(encode(b"SELECT", b"%d" % int(db)))
        return commands

    def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None and connection.transport is not None:
            connection.transport.abort()

    def _answered(self, answer: object, done: Done) -> None:
        if isinstance(answer, bytes):
            done(answer)
            return
        if isinstance(answer, ConnectionError):
            done(Failed.NOT_DONE if isinstance(answer, NotSent) else Failed.UNSURE)
            return
        if "EMPTIED" in str(answer):
            self.may_be_empty.set()
            done(Failed.EMPTIED)
            return
        logger.error("script_failed", extra={"error": str(answer)})
        if "NOSCRIPT" in str(answer):
            # Somebody flushed the scripts: a new connection loads it again.
            self._disconnect()
        done(Failed.NOT_DONE)


async def _ask(connection: StoreConnection, command: bytes) -> Any:
    future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
    connection.send(command, lambda answer: None if future.done() else future.set_result(answer))
    answer = await future
    if isinstance(answer, Exception):
        raise ConnectionError(str(answer))
    return answer

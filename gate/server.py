"""HTTP on a socket: requests in, answers out in the same order, and nothing else.

A protocol over httptools without an object model of requests: measured, this is what a hundred thousand
requests a second need. Bodies are read and dropped; limits on size, time and number of connections hold.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections import deque
from functools import lru_cache, partial
from ipaddress import ip_address

import httptools

from gate.facts import REPEATED
from gate.gate import Gate
from gate.replies import Reply, encode_reply, error_reply
from gate.request_ids import make_request_id

logger = logging.getLogger(__name__)

MAX_TARGET_BYTES = 8_192
MAX_HEADER_BYTES = 16_384
MAX_PIPELINED = 128
IDLE_TIMEOUT_S = 75.0
SLOW_TIMEOUT_S = 10.0
LINGER_S = 1.0

# What the gate reads; every other header is skipped.
_READ = frozenset(
    (
        b"host",
        b"origin",
        b"referer",
        b"x-forwarded-for",
        b"x-forwarded-method",
        b"x-forwarded-uri",
        b"x-original-method",
        b"x-original-uri",
    )
)


_ONCE = _READ - {b"x-forwarded-for"}
_NOT_ASCII = re.compile(rb"[\x80-\xff]")


@lru_cache(maxsize=1_024)
def _wanted(name: bytes) -> bytes | None:
    """A header's name as the gate knows it; None for one that it does not read."""
    lower = name.lower()
    return lower if lower in _READ else None


def _escaped(data: bytes) -> bytes:
    """The same with the request line in ASCII: people type `curl …?address=Hà+Nội`, and the parser is strict.

    Nothing behind the first line is touched: a body must keep its length.
    """
    line, end, rest = data.partition(b"\r\n")
    return _NOT_ASCII.sub(lambda match: b"%%%02X" % match[0][0], line) + end + rest


class Slot:
    """The place of one answer in the order of a connection's answers."""

    __slots__ = ("answer",)

    def __init__(self) -> None:
        self.answer: bytes | None = None


class GateProtocol(asyncio.Protocol):
    """One connection of a caller or a proxy."""

    def __init__(self, gate: Gate, connections: set[GateProtocol]) -> None:
        self._gate = gate
        self._connections = connections
        self._parser = httptools.HttpRequestParser(self)
        self._slots: deque[Slot] = deque()
        self._transport: asyncio.Transport | None = None
        self._loop = asyncio.get_running_loop()
        self._begun_at: float | None = None
        self._quiet_since = self._loop.time()
        self._is_ending = False
        self._is_paused = False
        self._lingers = False
        self._n_bytes = 0
        self._start_message()

    # -- what the event loop says

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]
        self._peer = ip_address(transport.get_extra_info("peername")[0].partition("%")[0])
        self._connections.add(self)

    def data_received(self, data: bytes) -> None:
        if self._is_ending:
            return
        if self._begun_at is None:
            self._begun_at = self._loop.time()
            if not data.isascii():
                data = _escaped(data)
        self._n_bytes += len(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self._fail(400, "BAD_REQUEST", "Upgrades are not served here.")
        except TooLarge as error:
            self._fail(*error.args)
        except httptools.HttpParserError as error:
            cause = error.__context__
            if isinstance(cause, TooLarge):
                self._fail(*cause.args)
            else:
                self._fail(400, "BAD_REQUEST", "This is not a well-formed HTTP request.")
        else:
            if self._begun_at is not None and self._n_bytes > MAX_HEADER_BYTES and not self._has_headers:
                self._fail(431, "HEADERS_TOO_LARGE", "The request's headers are too large.")

    def eof_received(self) -> bool:
        """A half-closed caller still gets what it asked for."""
        self._is_ending = True
        return bool(self._slots)

    def connection_lost(self, error: Exception | None) -> None:
        self._transport = None
        self._slots.clear()
        self._connections.discard(self)

    # -- what the parser says

    def on_message_begin(self) -> None:
        if self._begun_at is None:
            # Begun behind another request in the same packet: what comes next is no first line.
            self._begun_at = self._loop.time()
        self._start_message()

    def on_url(self, url: bytes) -> None:
        self._target += url
        if len(self._target) > MAX_TARGET_BYTES:
            raise TooLarge(414, "URI_TOO_LONG", "The request's URI is too long.")

    def on_header(self, name: bytes, value: bytes) -> None:
        self._n_header_bytes += len(name) + len(value)
        if self._n_header_bytes > MAX_HEADER_BYTES:
            raise TooLarge(431, "HEADERS_TOO_LARGE", "The request's headers are too large.")
        wanted = _wanted(name)
        if wanted is not None:
            known = self._headers.get(wanted)
            if known is not None:
                value = known + b", " + value
                if wanted in _ONCE:
                    self._headers[REPEATED] = wanted
            self._headers[wanted] = value

    def on_headers_complete(self) -> None:
        self._has_headers = True

    def on_message_complete(self) -> None:
        if self._is_ending:
            return
        slot = Slot()
        self._slots.append(slot)
        self._begun_at = None
        method = self._parser.get_method().decode("latin-1")
        is_last = not self._parser.should_keep_alive()
        self._is_ending = is_last
        request_id = make_request_id()

        def send(reply: Reply) -> None:
            self._fill(slot, encode_reply(reply, request_id=request_id, is_head=method == "HEAD", closes=is_last))

        self._gate.handle(method, self._target, self._headers, self._peer, request_id, send)
        self._n_bytes = 0
        if len(self._slots) >= MAX_PIPELINED and self._transport is not None and not self._is_paused:
            self._is_paused = True
            self._transport.pause_reading()

    # -- what the server says

    def sweep(self, now: float) -> None:
        """Ends a connection that has been quiet, or at one request, for too long."""
        is_slow = self._begun_at is not None and now - self._begun_at > SLOW_TIMEOUT_S
        is_idle = self._begun_at is None and not self._slots and now - self._quiet_since > IDLE_TIMEOUT_S
        if is_slow:
            self._fail(408, "REQUEST_TIMEOUT", "The request took too long to arrive.")
        elif is_idle:
            self._close()

    def drain(self) -> None:
        """Takes no further request; closes when the last answer has gone."""
        self._is_ending = True
        if not self._slots:
            self._close()

    # -- answers

    def _start_message(self) -> None:
        self._target = b""
        self._headers: dict[bytes, bytes] = {}
        self._n_header_bytes = 0
        self._has_headers = False

    def _fill(self, slot: Slot, answer: bytes) -> None:
        slot.answer = answer
        if self._transport is None:
            return
        ready = []
        while self._slots and self._slots[0].answer is not None:
            ready.append(self._slots.popleft().answer)
        if ready:
            self._transport.write(b"".join(ready))  # type: ignore[arg-type]
        self._quiet_since = self._loop.time()
        if not self._slots:
            if self._lingers:
                self._linger()
            elif self._is_ending:
                self._close()
            elif self._is_paused:
                self._is_paused = False
                self._transport.resume_reading()

    def _fail(self, status: int, code: str, message: str) -> None:
        """Answers what cannot be read, behind the answers still owed, and closes."""
        if self._is_ending and self._begun_at is None:
            return
        self._begun_at = None
        self._is_ending = True
        self._lingers = True
        slot = Slot()
        self._slots.append(slot)
        request_id = make_request_id()
        reply = error_reply(status, code, message, request_id)
        self._fill(slot, encode_reply(reply, request_id=request_id, is_head=False, closes=True))

    def _linger(self) -> None:
        """Ends our side and reads on for a moment: closing with input unread would take the answer back."""
        if self._transport is not None:
            self._transport.write_eof()
            self._loop.call_later(LINGER_S, self._close)

    def _close(self) -> None:
        if self._transport is not None:
            self._transport.close()


class TooLarge(Exception):
    """A part of a request over its limit: status, code, message."""


async def serve(gate: Gate, *, host: str, port: int, stop: asyncio.Event, max_connections: int = 10_000) -> None:
    """Serves until `stop` is set, then answers what was taken in and returns. Several processes may share a port."""
    loop = asyncio.get_running_loop()
    connections: set[GateProtocol] = set()
    server = await loop.create_server(
        partial(_accept, gate, connections, max_connections), host, port, reuse_port=True, backlog=2_048
    )
    logger.info("gate_ready", extra={"host": host, "port": port})
    while not stop.is_set():
        try:
            await asyncio.wait_for(stop.wait(), 5)
        except TimeoutError:
            for connection in list(connections):
                connection.sweep(loop.time())
    server.close()
    await gate.drained()
    for connection in list(connections):
        connection.drain()
    await asyncio.sleep(0.05)
    logger.info("gate_stopped")


def _accept(gate: Gate, connections: set[GateProtocol], max_connections: int) -> asyncio.Protocol:
    if len(connections) >= max_connections:
        return _Turned()
    return GateProtocol(gate, connections)


class _Turned(asyncio.Protocol):
    """A connection too many: closed at once."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        transport.close()

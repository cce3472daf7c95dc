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

from gate.exchange import Exchange
from gate.facts import REPEATED, BadRequest, Headers, is_question, original_request
from gate.gate import Gate
from gate.heads import FRAMING, Head, cut
from gate.replies import error_reply
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
# Stands in where a request could not be read.
_UNREAD = Head("GET", {}, is_question=False)
_NOT_ASCII = re.compile(rb"[\x80-\xff]")


@lru_cache(maxsize=1_024)
def _wanted(name: bytes) -> bytes | None:
    """A header's name as the gate knows it; None for one that it does not read."""
    lower = name.lower()
    return lower if lower in _READ or lower in FRAMING else None


def _escaped(data: bytes) -> bytes:
    """The same with the request line in ASCII: people type `curl …?address=Hà+Nội`, and the parser is strict.

    Nothing behind the first line is touched: a body must keep its length.
    """
    line, end, rest = data.partition(b"\r\n")
    return _NOT_ASCII.sub(lambda match: b"%%%02X" % match[0][0], line) + end + rest


class GateProtocol(asyncio.Protocol):
    """One connection of a caller or a proxy."""

    def __init__(self, gate: Gate, connections: set[GateProtocol]) -> None:
        self._gate = gate
        self._heads = gate.heads
        self._metrics = gate.metrics
        self._connections = connections
        self._parser = httptools.HttpRequestParser(self)
        # Those that are not answered yet, or not sent yet because one before them is not answered.
        self._exchanges: deque[Exchange] = deque()
        self._transport: asyncio.Transport | None = None
        self._loop = asyncio.get_running_loop()
        self._begun_at: float | None = None
        self._quiet_since = self._loop.time()
        self._is_ending = False
        self._is_paused = False
        self._lingers = False
        self._n_bytes = 0
        self._parsed: list[tuple[bytes, Headers, Head]] = []
        self._start_message()

    # -- what the event loop says

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]
        address = transport.get_extra_info("peername")[0].partition("%")[0]
        self._peer = self._gate.peer(ip_address(address))
        self._connections.add(self)

    def data_received(self, data: bytes) -> None:
        if self._is_ending:
            return
        if self._begun_at is not None:
            self._parse(data)
            return
        parts = cut(data)
        head = self._heads.known(parts)
        if head is not None:
            self._metrics.n_head_hits += 1
            target, forwarded_for, referer, origin, _ = parts
            self._take(
                head, target, forwarded_for or head.forwarded_for, referer or head.referer, origin or head.origin
            )
            return
        self._metrics.n_head_misses += 1
        self._begun_at = self._loop.time()
        self._parsed.clear()
        self._parse(data if data.isascii() else _escaped(data))
        if self._begun_at is None and not self._is_ending and len(self._parsed) == 1:
            self._heads.keep(parts, *self._parsed[0])

    def eof_received(self) -> bool:
        """A half-closed caller still gets what it asked for."""
        self._is_ending = True
        return bool(self._exchanges)

    def connection_lost(self, error: Exception | None) -> None:
        self._transport = None
        # It holds us as we hold it; without this, connections would wait for the collector of garbage.
        del self._parser
        self._exchanges.clear()
        self._connections.discard(self)

    # -- what the parser says

    def _parse(self, data: bytes) -> None:
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
        method = self._parser.get_method().decode("latin-1")
        is_last = not self._parser.should_keep_alive()
        self._begun_at = None
        self._n_bytes = 0
        self._is_ending = is_last
        target, asks = self._target, is_question(self._target)
        if asks:
            try:
                method, target = original_request(method, target, self._headers)
            except BadRequest as error:
                self._refuse(400, "BAD_REQUEST", str(error), is_last=is_last)
                return
        head = Head(method, self._headers, is_question=asks)
        self._parsed.append((target, self._headers, head))
        self._take(head, target, head.forwarded_for, head.referer, head.origin, is_last=is_last)

    def _start_message(self) -> None:
        self._target = b""
        self._headers: Headers = {}
        self._n_header_bytes = 0
        self._has_headers = False

    # -- what the server says

    def sweep(self, now: float) -> None:
        """Ends a connection that has been quiet, or at one request, for too long."""
        is_slow = self._begun_at is not None and now - self._begun_at > SLOW_TIMEOUT_S
        is_idle = self._begun_at is None and not self._exchanges and now - self._quiet_since > IDLE_TIMEOUT_S
        if is_slow:
            self._fail(408, "REQUEST_TIMEOUT", "The request took too long to arrive.")
        elif is_idle:
            self._close()

    def drain(self) -> None:
        """Takes no further request; closes when the last answer has gone."""
        self._is_ending = True
        if not self._exchanges:
            self._close()

    # -- requests and answers

    def _take(
        self,
        head: Head,
        target: bytes,
        forwarded_for: bytes | None,
        referer: bytes | None,
        origin: bytes | None,
        *,
        is_last: bool = False,
    ) -> None:
        caller = self._peer.caller_of(forwarded_for)
        exchange = Exchange(self, make_request_id(), head, caller, forwarded_for, referer, origin, is_last)
        self._exchanges.append(exchange)
        self._gate.handle(exchange, target)
        if len(self._exchanges) >= MAX_PIPELINED and self._transport is not None and not self._is_paused:
            self._is_paused = True
            self._transport.pause_reading()

    def answered(self) -> None:
        """Sends what can be sent, in the order of the requests."""
        exchanges, transport = self._exchanges, self._transport
        if transport is None:
            return
        while exchanges and (answer := exchanges[0].answer) is not None:
            del exchanges[0]
            transport.write(answer)
        if not exchanges:
            self._quiet_since = self._loop.time()
            if self._lingers:
                self._linger()
            elif self._is_ending:
                self._close()
            elif self._is_paused:
                self._is_paused = False
                transport.resume_reading()

    def _fail(self, status: int, code: str, message: str) -> None:
        """Answers what cannot be read, behind the answers still owed, and closes."""
        if self._is_ending and self._begun_at is None:
            return
        self._metrics.n_bad_requests += 1
        self._begun_at = None
        self._is_ending = True
        self._lingers = True
        self._refuse(status, code, message, is_last=True)

    def _refuse(self, status: int, code: str, message: str, *, is_last: bool) -> None:
        exchange = Exchange(self, make_request_id(), _UNREAD, self._peer.caller, None, None, None, is_last)
        self._exchanges.append(exchange)
        exchange.send(error_reply(status, code, message, exchange.id))

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


async def serve(
    gate: Gate,
    connections: set[GateProtocol],
    *,
    host: str,
    port: int,
    stop: asyncio.Event,
    max_connections: int = 10_000,
) -> None:
    """Serves until `stop` is set, then answers what was taken in and returns. Several processes may share a port.

    `connections` holds those that are open.
    """
    loop = asyncio.get_running_loop()
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

"""A load generator: so many connections, one request under way on each, for so many seconds.

`python -m bench.load PORT CONNECTIONS SECONDS < requests` prints `{"n": …, "seconds": …, "statuses": {…}}`.
The requests come one a line, as JSON strings; each connection takes them in turn from a place of its own.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections import Counter

import uvloop


class Caller(asyncio.Protocol):
    """Sends the next request when an answer is whole; answers are told by their Content-Length."""

    def __init__(self, requests: list[bytes], first: int, statuses: Counter[bytes]) -> None:
        self._requests, self._next, self._statuses = requests, first, statuses
        self._buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._send()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head_end = self._buffer.find(b"\r\n\r\n")
        if head_end < 0:
            return
        at = self._buffer.find(b"Content-Length: ") + 16
        length = int(self._buffer[at : self._buffer.find(b"\r", at)])
        if len(self._buffer) < head_end + 4 + length:
            return
        self._statuses[self._buffer[9:12]] += 1
        self._buffer = b""
        self._send()

    def _send(self) -> None:
        self._transport.write(self._requests[self._next % len(self._requests)])  # type: ignore[attr-defined]
        self._next += 1


async def main(port: int, n_connections: int, seconds: float) -> None:
    requests = [json.loads(line).encode("latin-1") for line in sys.stdin]
    loop, statuses = asyncio.get_running_loop(), Counter[bytes]()
    for n in range(n_connections):
        first = n * len(requests) // n_connections
        await loop.create_connection(lambda first=first: Caller(requests, first, statuses), "127.0.0.1", port)  # type: ignore[misc]
    await asyncio.sleep(0.5)
    statuses.clear()
    started = loop.time()
    await asyncio.sleep(seconds)
    taken = loop.time() - started
    counted = {status.decode(): n for status, n in statuses.items()}
    print(json.dumps({"n": sum(counted.values()), "seconds": taken, "statuses": counted}))


if __name__ == "__main__":
    uvloop.run(main(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])))

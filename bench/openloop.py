"""Requests at times that were fixed beforehand, whatever the server does; latency counts from those times.

`python -m bench.openloop PORT RATE SECONDS CONNECTIONS FILE` sends RATE a second, evenly, from a file of requests
that each end with an empty line, and prints `{"n": …, "p50_ms": …, "p99_ms": …, "max_ms": …, "statuses": {…}}`.
A closed loop waits for a slow server and so asks less while it is slow; this does not.
"""

from __future__ import annotations

import asyncio
import json
import math
import re
import sys
import time
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import uvloop

from bench.answers import Connection, connect
from bench.ticks import ticking

PATIENCE_S = 120.0


@dataclass(frozen=True, slots=True)
class Arrival:
    """One request: when it is due, in seconds from the start, which server it goes to, and its bytes."""

    due_s: float
    server: int
    request: bytes


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of an arrival. `latency_s` is from when it was due."""

    arrival: Arrival
    status: int
    request_id: bytes
    latency_s: float


class Sender:
    """Sends arrivals, in the order of their times, over free connections; those that find none wait for one."""

    def __init__(self, arrivals: Sequence[Arrival], ports: Sequence[int]) -> None:
        self._arrivals = arrivals
        self._ports = ports
        self._next = 0
        self._waiting: list[deque[Arrival]] = [deque() for _ in ports]
        self._free: list[list[Connection]] = [[] for _ in ports]
        self._under_way: dict[Connection, Arrival] = {}
        self._opening: set[asyncio.Task[None]] = set()
        self._started_at = 0.0
        self._is_done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.answers: list[Answer] = []

    async def run(self, n_connections: int) -> None:
        """Returns when every arrival has its answer. Raises ConnectionError, TimeoutError where one never comes."""
        for n in range(n_connections):
            await self._open(n % len(self._ports))
        self._started_at = time.perf_counter()
        last_s = self._arrivals[-1].due_s if self._arrivals else 0.0
        with ticking(self._send_due):
            await asyncio.wait_for(self._is_done, last_s + PATIENCE_S)

    async def _open(self, server: int) -> None:
        self._is_free(await connect(self._ports[server], self._answered, self._ended), server)

    def _is_free(self, connection: Connection, server: int) -> None:
        if self._waiting[server]:
            self._send(connection, self._waiting[server].popleft())
        else:
            self._free[server].append(connection)

    def _send_due(self) -> None:
        now_s = time.perf_counter() - self._started_at
        while self._next < len(self._arrivals) and self._arrivals[self._next].due_s <= now_s:
            arrival = self._arrivals[self._next]
            self._next += 1
            if self._free[arrival.server]:
                self._send(self._free[arrival.server].pop(), arrival)
            else:
                self._waiting[arrival.server].append(arrival)

    def _send(self, connection: Connection, arrival: Arrival) -> None:
        self._under_way[connection] = arrival
        connection.send(arrival.request)

    def _answered(self, connection: Connection, status: int, request_id: bytes) -> None:
        arrival = self._under_way.pop(connection)
        latency_s = time.perf_counter() - self._started_at - arrival.due_s
        self.answers.append(Answer(arrival, status, request_id, latency_s))
        if connection.is_kept:
            self._is_free(connection, arrival.server)
        else:
            self._opening.add(asyncio.create_task(self._open(arrival.server)))
        if len(self.answers) == len(self._arrivals) and not self._is_done.done():
            self._is_done.set_result(None)

    def _ended(self, connection: Connection, error: Exception | None) -> None:
        if connection.is_kept and not self._is_done.done():
            self._is_done.set_exception(error or ConnectionError("The server closed a connection."))


def percentile(sorted_values: Sequence[float], percent: float) -> float:
    """The smallest value that `percent` of them do not exceed."""
    return sorted_values[max(0, math.ceil(len(sorted_values) * percent / 100) - 1)]


async def _main(port: int, rate: float, seconds: float, n_connections: int, file: Path) -> None:
    requests = re.findall(rb".+?\r\n\r\n", file.read_bytes(), re.DOTALL)
    sender = Sender([Arrival(n / rate, 0, requests[n % len(requests)]) for n in range(int(rate * seconds))], [port])
    await sender.run(n_connections)
    latencies_ms = sorted(answer.latency_s * 1_000 for answer in sender.answers)
    found = {f"p{percent}_ms": percentile(latencies_ms, percent) for percent in (50, 99)}
    statuses = Counter(answer.status for answer in sender.answers)
    print(json.dumps({"n": len(latencies_ms), **found, "max_ms": latencies_ms[-1], "statuses": statuses}))


if __name__ == "__main__":
    uvloop.run(_main(int(sys.argv[1]), float(sys.argv[2]), float(sys.argv[3]), int(sys.argv[4]), Path(sys.argv[5])))

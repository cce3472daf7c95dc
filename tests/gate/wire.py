"""One connection without a network: what a gate's protocol reads from bytes, and what it answers."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterable
from typing import Any

from gate.exchange import Exchange
from gate.facts import Peer
from gate.heads import Heads
from gate.metrics import Metrics
from gate.replies import Reply
from gate.server import GateProtocol

# What was read of a request: its method, its target, what else the gate goes by, and whether a proxy asked.
Read = tuple[str, bytes, tuple[bytes | None, ...], bool]


class Transport:
    """Takes what would be sent."""

    def __init__(self) -> None:
        self.sent = b""
        self.is_closed = False

    def get_extra_info(self, name: str) -> tuple[str, int]:
        return "203.0.113.7", 1

    def write(self, data: bytes) -> None:
        assert not self.is_closed
        self.sent += data

    def write_eof(self) -> None: ...
    def pause_reading(self) -> None: ...
    def resume_reading(self) -> None: ...

    def close(self) -> None:
        self.is_closed = True


class Recorder:
    """Stands in for the gate: writes down what it is asked, and answers in any order when it is told to."""

    def __init__(self, heads: Heads) -> None:
        self.heads = heads
        self.metrics = Metrics()
        self.read: list[Read] = []
        self.asked: list[Exchange] = []

    def peer(self, ip: Any) -> Peer:
        return Peer(ip, (), {})

    def handle(self, exchange: Exchange, target: bytes) -> None:
        head = exchange.head
        said = (head.host, exchange.forwarded_for, exchange.referer, exchange.origin)
        self.read.append((head.method, target, said, head.is_question))
        self.asked.append(exchange)

    def answer_all(self, chance: random.Random) -> None:
        for exchange in chance.sample(self.asked, len(self.asked)):
            exchange.send(Reply(200, b"x"))


def read(packets: Iterable[bytes], heads: Heads, chance: random.Random | None = None) -> tuple[list[Read], list[int]]:
    """The requests in some packets of one connection, and the statuses of all answers in the order they were sent.

    Asserts that every request has an answer of its own, and that the answers come in the order of the requests.
    """
    recorder, transport = Recorder(heads), Transport()
    connection = GateProtocol(recorder, set())  # type: ignore[arg-type]
    connection.connection_made(transport)  # type: ignore[arg-type]
    for packet in packets:
        connection.data_received(packet)
    connection.eof_received()
    recorder.answer_all(chance or random.Random(0))
    answers = transport.sent.split(b"HTTP/1.1 ")[1:]
    ids = [answer.partition(b"X-Request-Id: ")[2][:36] for answer in answers]
    of_requests = [exchange.id for exchange in recorder.asked]
    assert [each for each in ids if each in set(of_requests)] == of_requests
    assert len(set(ids)) == len(ids)
    connection.connection_lost(None)
    return recorder.read, [int(answer[:3]) for answer in answers]


async def in_loop(work: Any) -> Any:
    """Runs `work` where a loop is running, as protocols expect."""
    await asyncio.sleep(0)
    return work()

"""Spooled batches for tests of the spool; needs no Django, so that a small program can make some."""

from __future__ import annotations

import uuid

from gate.charges import Charge
from gate.specs import Kind
from gate.spool_frames import Frame, Sent
from goongdash.lib.clock import from_epoch_us

# T0 of the other tests.
AT_US = 1_795_402_800_000_000
AT = from_epoch_us(AT_US)
DAY, MONTH = 20261123, 202611


def line(request_id: str = "", *, key_id: int = 7) -> bytes:
    """The event of one allowed request of account 3."""
    return f"0\t1\t3\t{key_id}\t6\t1\t5000\t203.0.113.7\t\t{request_id or uuid.uuid4()}".encode()


def frame(n: int = 1, *, shard: int = 0, sent: Sent | None = None, at_us: int = AT_US) -> Frame:
    """`n` allowed requests, and what they used."""
    charge = Charge(Kind.REQUEST, 3, 7, n, n * 5_000, DAY, MONTH, 0, 0, 0, 0)
    return Frame(shard, at_us, tuple(line() for _ in range(n)), (charge,), sent)

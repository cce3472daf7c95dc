"""One spooled batch as bytes, and a spool file as batches: what is torn or damaged is told from what is whole. Pure.

A frame is a magic word, the CRC-32 and the length of the rest, then the rest: when, which shard, how many events,
which call to the store may have counted them, what they used (`gate/charges.py`), and their lines.
"""

from __future__ import annotations

import mmap
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from gate.charges import CHARGE_BYTES, Charge, pack_charges, unpack_charges

MAGIC = b"\xf7GS1"
# A length beyond this is no length: the bytes are not a frame's.
MAX_FRAME_BYTES = 16_777_216

_HEAD = struct.Struct(">4sII")
_REST = struct.Struct(">QHII16sQ")


@dataclass(frozen=True, slots=True)
class Sent:
    """A call that went out to the store and was not answered: it may have been counted.

    `connection` is 16 characters that name the connection; `number` grows with each call on it, from 1.
    """

    connection: str
    number: int


@dataclass(frozen=True, slots=True)
class Frame:
    """The events of one batch: `lines` as they stand in the stream, decided at `at_us` by the gate's clock."""

    shard: int
    at_us: int
    lines: tuple[bytes, ...]
    charges: tuple[Charge, ...] = ()
    sent: Sent | None = None


@dataclass(frozen=True, slots=True)
class Placed:
    """A whole frame and the position in the file where it ends."""

    end: int
    frame: Frame


@dataclass(frozen=True, slots=True)
class Unreadable:
    """`n_bytes` that are no frame. At the end of a file they are a write that was cut off; elsewhere, damage."""

    n_bytes: int
    is_at_end: bool


def pack_frame(frame: Frame) -> bytes:
    charges = pack_charges(frame.charges)
    sent = frame.sent or Sent("", 0)
    rest = b"".join(
        (
            _REST.pack(
                frame.at_us,
                frame.shard,
                len(frame.lines),
                len(frame.charges),
                sent.connection.encode(),
                sent.number,
            ),
            charges,
            b"\n".join(frame.lines),
        )
    )
    return _HEAD.pack(MAGIC, zlib.crc32(rest), len(rest)) + rest


def read_frames(data: bytes | mmap.mmap, start: int = 0) -> Iterator[Placed | Unreadable]:
    """All of `data` from `start` on, in order: whole frames, and the stretches between them that are none."""
    at, size = start, len(data)
    while at < size:
        placed = _frame_at(data, at)
        if placed is not None:
            yield placed
            at = placed.end
            continue
        lost_at = at
        while placed is None and at < size:
            at = data.find(MAGIC, at + 1)
            at = size if at < 0 else at
            placed = _frame_at(data, at)
        yield Unreadable(at - lost_at, at == size)


def _frame_at(data: bytes | mmap.mmap, at: int) -> Placed | None:
    """The frame that begins at `at`, None where there is no whole one."""
    head = data[at : at + _HEAD.size]
    if len(head) < _HEAD.size:
        return None
    magic, checksum, length = _HEAD.unpack(head)
    if magic != MAGIC or not _REST.size <= length <= MAX_FRAME_BYTES:
        return None
    rest = data[at + _HEAD.size : at + _HEAD.size + length]
    if len(rest) < length or zlib.crc32(rest) != checksum:
        return None
    return Placed(at + _HEAD.size + length, _unpack(rest))


def _unpack(rest: bytes) -> Frame:
    at_us, shard, n_lines, n_charges, connection, number = _REST.unpack_from(rest)
    lines_at = _REST.size + n_charges * CHARGE_BYTES
    lines = tuple(rest[lines_at:].split(b"\n")) if n_lines else ()
    sent = Sent(connection.decode(), number) if number else None
    return Frame(shard, at_us, lines, tuple(unpack_charges(rest[_REST.size : lines_at])), sent)

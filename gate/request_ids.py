"""Names each request: what an answer carries, what is recorded, what the owner can ask about."""

from __future__ import annotations

import random
import time


def make_request_id() -> bytes:
    """A UUID, version 7 (RFC 9562): its first 48 bits are the time, so that a record is found by it."""
    milliseconds = time.time_ns() // 1_000_000
    noise = random.getrandbits(74)
    number = milliseconds << 80 | 0x7 << 76 | (noise >> 62) << 64 | 0b10 << 62 | noise & (1 << 62) - 1
    text = f"{number:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}".encode()

"""Names each request: what an answer carries, what is recorded, what the owner can ask about."""

from __future__ import annotations

import random
import time


class RequestIds:
    """Makes UUIDs, version 7 (RFC 9562): the first 48 bits are the time, so that a record is found by its id.

    Of one millisecond all begin alike and count up, from a place chosen by chance (the RFC's method 1).
    """

    __slots__ = ("_head", "_millisecond", "_number")

    def __init__(self) -> None:
        self._millisecond = -1
        self._head = b""
        self._number = 0

    def make(self) -> bytes:
        millisecond = time.time_ns() // 1_000_000
        if millisecond != self._millisecond:
            self._millisecond = millisecond
            noise = random.getrandbits(26)
            self._head = b"%08x-%04x-7%03x-%04x-" % (
                millisecond >> 16,
                millisecond & 0xFFFF,
                noise >> 14,
                0x8000 | noise & 0x3FFF,
            )
            self._number = random.getrandbits(47)
        self._number += 1
        return b"%b%012x" % (self._head, self._number)


make_request_id = RequestIds().make

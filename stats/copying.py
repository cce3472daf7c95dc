"""Writes events into the record table by COPY, in its binary form.

PostgreSQL takes binary rows more than twice as quickly as text, and rows of one account one after the other more
quickly than as they come: their places in the index of accounts are next to each other.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import repeat
from socket import AF_INET, AF_INET6, inet_pton
from struct import Struct, pack

from django.db import connection

from stats.countries import country_of
from stats.events import StreamEntry, read_head, read_ip, read_page
from stats.memo import Memo

COLUMNS = (
    *("account_id", "key_id", "service_id", "outcome", "units", "cost_micro_usd", "would_refuse"),
    *("at", "id", "ip", "country", "origin", "page_path", "request_id"),
)
_COPY = f"COPY stats_usagerecord ({', '.join(COLUMNS)}) FROM STDIN (FORMAT binary)"

# https://www.postgresql.org/docs/current/sql-copy.html#SQL-COPY-FILE-FORMATS: a signature, flags, the length of an
# extension; rows; -1. A row is the number of its fields, a field its length and its bytes. All big-endian.
_START = b"PGCOPY\n\xff\r\n\x00" + bytes(8)
_END = pack(">h", -1)
# A part ends with the length of the field that the next one begins with. A row begins with its account, so that rows
# as bytes sort by it: no identifier is negative.
_WHOSE, _SERVICE, _NO_SERVICE = Struct(">hiqiq"), Struct(">ii"), pack(">i", -1)
_DECISION = Struct(">ihihiii?i")
_AT, _ID = Struct(">qi"), Struct(">q")
_UUID_LENGTH = pack(">i", 16)
_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
# src/include/utils/inet.h: the family of IPv4, and of IPv6 the next number.
_INET4, _INET6 = pack(">iBBBB", 8, 2, 32, 0, 4), pack(">iBBBB", 20, 3, 128, 0, 16)
# About 64 KiB: the database is busy with one block while the next one is made.
_BLOCK_ROWS = 512


class RecordRows:
    """Records on their way into the table, numbered from `first_id` in the order in which they are added."""

    def __init__(self, *, first_id: int) -> None:
        self._next_id = first_id
        self._rows: list[bytes] = []

    def __len__(self) -> int:
        return len(self._rows)

    def add(self, entry: StreamEntry) -> None:
        """Adds a record for each event of `entry`. Raises EventUnreadable, and has then added none."""
        n_events = entry.n_events
        columns = (
            map(_HEADS.__getitem__, entry.heads),
            repeat(_AT.pack((entry.at - _EPOCH) // _MICROSECOND, 8), n_events),
            map(_ID.pack, range(self._next_id, self._next_id + n_events)),
            map(_CALLERS.__getitem__, entry.ips),
            map(_PAGES.__getitem__, entry.pages),
            entry.request_ids,
        )
        self._rows += list(map(b"".join, zip(*columns, strict=True)))
        self._next_id += n_events

    def copy(self) -> None:
        """Copies all of them, whose partitions there must be."""
        rows = sorted(self._rows)
        with connection.cursor() as db, db.cursor.copy(_COPY) as copy:
            copy.write(_START)
            for start in range(0, len(rows), _BLOCK_ROWS):
                copy.write(b"".join(rows[start : start + _BLOCK_ROWS]))
            copy.write(_END)


def _pack_head(text: bytes) -> bytes:
    """The fields from the account to `would_refuse`."""
    account_id, key_id, service_id, number, units, cost, would_refuse = read_head(text)
    service = _SERVICE.pack(4, service_id) if service_id else _NO_SERVICE
    whose = _WHOSE.pack(len(COLUMNS), 8, account_id, 8, key_id)
    return whose + service + _DECISION.pack(2, number, 2, units, 4, cost, 1, would_refuse, 8)


def _pack_caller(text: bytes) -> bytes:
    """The address, as PostgreSQL's `inet` has it: family, bits of the mask, no CIDR, bytes; and its country."""
    ip = read_ip(text)
    inet = _INET6 + inet_pton(AF_INET6, ip) if ":" in ip else _INET4 + inet_pton(AF_INET, ip)
    return inet + _pack_text(country_of(ip))


def _pack_page(text: bytes) -> bytes:
    """Origin and path, and the length of the request id."""
    origin, page_path = read_page(text)
    return _pack_text(origin) + _pack_text(page_path) + _UUID_LENGTH


def _pack_text(words: str) -> bytes:
    text = words.encode()
    return pack(">i", len(text)) + text


# A key asks for few services, and few addresses and pages make most requests.
_HEADS = Memo(_pack_head, room=100_000)
_CALLERS = Memo(_pack_caller, room=100_000)
_PAGES = Memo(_pack_page, room=50_000)

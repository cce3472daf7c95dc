"""Moves usage events from the stream into usage records, exactly once.

The records and the cursor of a shard are written in one transaction, and the stream is trimmed only after its
commit. Killed at any point, the next run begins where the last commit ended. While a batch is written, the next one is
read; it counts only if the cursor then stands where it begins. Of what gates have spooled and told the store later,
the records themselves are asked: the store may have forgotten that it knew.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import NamedTuple, cast

from django.conf import settings
from django.db import transaction

from goongdash.lib.clock import utc_now
from goongdash.lib.periods import day_of
from stats.copying import RecordRows
from stats.events import EventUnreadable, StreamEntry, split_entry
from stats.models import ShardCursor
from stats.partitions import partitions_ensure
from stats.replays import entry_new
from stats.stream import redis_client, stream_key, unreadable_key

logger = logging.getLogger(__name__)

BATCH_ENTRIES = 2_000
SHARD_BITS = 48
_STORED = (
    *("stream_id", "n_said", "n_lost", "n_unreadable", "n_records"),
    *("new_since", "waiting_since", "ingested_at"),
)

RawEntry = tuple[bytes, dict[bytes, bytes]]


class _Place(NamedTuple):
    """How far a shard had come before a batch, and so what its first entry follows: as its cursor has it."""

    stream_id: str
    n_said: int
    n_records: int


@dataclass(slots=True)
class _Batch:
    """What a run of entries comes to: records, the instants that they are of, and what changes the shard's cursor."""

    start: _Place
    rows: RecordRows
    stream_id: str
    n_said: int
    n_entries: int = 0
    n_lost: int = 0
    n_unreadable: int = 0
    instants: list[datetime] = field(default_factory=list)
    has_counted: bool = False
    replayed_ids: set[bytes] = field(default_factory=set)

    @property
    def end(self) -> _Place:
        return _Place(self.stream_id, self.n_said, self.start.n_records + len(self.rows))


class _ReadAhead:
    """Reads a shard's next batch in a thread while the last one is written, where there is more than one."""

    def __init__(self, pool: ThreadPoolExecutor, shard: int) -> None:
        self._pool = pool
        self._shard = shard
        self._next: Future[_Batch] | None = None

    def start(self, last: _Batch) -> None:
        is_full = last.n_entries == BATCH_ENTRIES
        read = partial(_read_batch, self._shard, last.end, BATCH_ENTRIES, may_ask_records=False)
        self._next = self._pool.submit(read) if is_full else None

    def take(self, start: _Place) -> _Batch | None:
        """The batch that was read; None where there is none, or it was read from another place than `start`."""
        batch = self._next and self._next.result()
        return batch if batch and batch.n_entries and batch.start == start else None


def ingest_all() -> int:
    """Stores everything that waits in every shard; returns the number of entries."""
    n_entries = 0
    with ThreadPoolExecutor(max_workers=1) as pool:
        for shard in range(settings.USAGE_SHARDS):
            ahead = _ReadAhead(pool, shard)
            while n := ingest_shard(shard, limit=BATCH_ENTRIES, ahead=ahead):
                n_entries += n
    return n_entries


def ingest_shard(shard: int, *, limit: int = BATCH_ENTRIES, ahead: _ReadAhead | None = None) -> int:
    """Stores the next entries of a shard's stream, `limit` at the most; returns how many entries there were."""
    with transaction.atomic():
        cursor = cursor_lock(shard)
        start = _Place(cursor.stream_id, cursor.n_said, cursor.n_records)
        batch = (ahead and ahead.take(start)) or _read_batch(shard, start, limit, may_ask_records=True)
        if not batch.n_entries:
            return 0
        if ahead:
            ahead.start(batch)
        records_write(batch.rows, batch.instants)
        _move_cursor(cursor, batch)
    stream_trim(shard, through=batch.stream_id)
    return batch.n_entries


def _move_cursor(cursor: ShardCursor, batch: _Batch) -> None:
    cursor.stream_id, cursor.n_said, cursor.n_records = batch.end
    cursor.n_lost += batch.n_lost
    cursor.n_unreadable += batch.n_unreadable
    cursor.new_since = min(filter(None, (cursor.new_since, *batch.instants)), default=None)
    cursor.ingested_at = utc_now()
    if batch.rows:
        cursor.waiting_since = cursor.waiting_since or cursor.ingested_at
    cursor.save(update_fields=_STORED)


def cursor_lock(shard: int) -> ShardCursor:
    """The shard's cursor, locked until the transaction ends. One ingest at a time gets past here."""
    ShardCursor.objects.bulk_create([ShardCursor(shard=shard)], ignore_conflicts=True)
    return ShardCursor.objects.select_for_update().get(shard=shard)


def cursors_lock() -> list[ShardCursor]:
    """The cursors of all shards, locked until the transaction ends: nothing is stored or rolled up meanwhile."""
    ShardCursor.objects.bulk_create(
        (ShardCursor(shard=shard) for shard in range(settings.USAGE_SHARDS)), ignore_conflicts=True
    )
    return list(ShardCursor.objects.select_for_update().order_by("shard"))


def records_write(rows: RecordRows, instants: Iterable[datetime]) -> None:
    """Copies `rows`, which are of these instants, into the record table. Makes missing partitions."""
    if rows:
        zone = settings.BILLING_ZONE
        partitions_ensure({day_of(at, zone) for at in instants}, zone=zone)
        rows.copy()


def stream_trim(shard: int, *, through: str) -> None:
    """Drops the entries up to and including `through`, whose records are committed."""
    milliseconds, _, sequence = through.partition("-")
    redis_client().xtrim(stream_key(shard), minid=f"{milliseconds}-{int(sequence) + 1}", approximate=False)


def _read_batch(shard: int, start: _Place, limit: int, *, may_ask_records: bool) -> _Batch:
    """The entries from `start` on, `limit` at the most.

    Fewer where replayed ones come after others, or where records may not be asked: those that are asked for may be in
    a batch that is not stored yet.
    """
    first_id = (shard << SHARD_BITS) + start.n_records + 1
    batch = _Batch(start, RecordRows(first_id=first_id), start.stream_id, start.n_said)
    for entry_id, fields in _read(shard, start.stream_id, limit):
        if b"r" in fields and (batch.has_counted or not may_ask_records):
            break
        batch.n_entries += 1
        batch.stream_id = entry_id.decode()
        try:
            _add(shard, batch, split_entry(fields))
        except EventUnreadable as error:
            batch.n_unreadable += 1
            # By its id: a run that is begun again puts nothing aside twice.
            redis_client().hset(unreadable_key(shard), batch.stream_id, repr(fields))
            logger.error("entry_unreadable", extra={"shard": shard, "entry": batch.stream_id, "error": str(error)})
    return batch


def _read(shard: int, after: str, limit: int) -> list[RawEntry]:
    return cast("list[RawEntry]", redis_client().xrange(stream_key(shard), min=f"({after}", count=limit))


def _add(shard: int, batch: _Batch, entry: StreamEntry) -> None:
    new = entry_new(entry, known=batch.replayed_ids)
    batch.rows.add(new)
    if entry.replay:
        batch.replayed_ids.update(new.request_ids)
    else:
        batch.has_counted = True
    _check_continuity(shard, batch, entry)
    if new.n_events:
        batch.instants.append(entry.at)
    batch.n_said = entry.n_before + entry.n_events


def _check_continuity(shard: int, batch: _Batch, entry: StreamEntry) -> None:
    if entry.n_before > batch.n_said:
        lost = entry.n_before - batch.n_said
        batch.n_lost += lost
        logger.error("events_lost", extra={"shard": shard, "n_lost": lost})
    elif entry.n_before < batch.n_said:
        logger.warning("store_was_emptied", extra={"shard": shard, "n_said": batch.n_said})


def wait_for_events(timeout_ms: int = 1_000) -> None:
    """Returns when some shard has an entry that is not stored yet, or when the time is up."""
    cursors = dict(ShardCursor.objects.values_list("shard", "stream_id"))
    streams = {stream_key(shard): cursors.get(shard, "0-0") for shard in range(settings.USAGE_SHARDS)}
    redis_client().xread(streams, count=1, block=timeout_ms)  # type: ignore[arg-type]

"""Moves usage events from the stream into usage records, exactly once.

The records and the cursor of a shard are written in one transaction, and the stream is trimmed only after its
commit. Killed at any point, the next run begins where the last commit ended. Of what gates have spooled and told
the store later, the records themselves are asked: the store may have forgotten that it knew.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import cast

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


@dataclass(slots=True)
class _Batch:
    """What a run of entries comes to: records, the instants that they are of, and what changes the shard's cursor."""

    rows: RecordRows
    n_said: int
    instants: list[datetime] = field(default_factory=list)
    n_lost: int = 0
    n_unreadable: int = 0


def ingest_shard(shard: int, *, limit: int = BATCH_ENTRIES) -> int:
    """Stores the next entries of a shard's stream, `limit` at the most; returns how many entries there were."""
    with transaction.atomic():
        cursor = cursor_lock(shard)
        raw = _read(shard, cursor.stream_id, limit)
        if not raw:
            return 0
        rows = RecordRows(first_id=(shard << SHARD_BITS) + cursor.n_records + 1)
        batch = _decode(shard, raw, _Batch(rows, cursor.n_said))
        records_write(batch.rows, batch.instants)
        cursor.new_since = min(filter(None, (cursor.new_since, *batch.instants)), default=None)
        cursor.stream_id = raw[-1][0].decode()
        cursor.n_said = batch.n_said
        cursor.n_lost += batch.n_lost
        cursor.n_unreadable += batch.n_unreadable
        cursor.n_records += len(batch.rows)
        cursor.ingested_at = utc_now()
        if batch.rows:
            cursor.waiting_since = cursor.waiting_since or cursor.ingested_at
        cursor.save(update_fields=_STORED)
    stream_trim(shard, through=cursor.stream_id)
    return len(raw)


def ingest_all() -> int:
    """Stores everything that waits in every shard; returns the number of entries."""
    n_entries = 0
    for shard in range(settings.USAGE_SHARDS):
        while n := ingest_shard(shard):
            n_entries += n
    return n_entries


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


def _read(shard: int, after: str, limit: int) -> list[RawEntry]:
    return cast("list[RawEntry]", redis_client().xrange(stream_key(shard), min=f"({after}", count=limit))


def _decode(shard: int, raw: Iterable[RawEntry], batch: _Batch) -> _Batch:
    for entry_id, fields in raw:
        try:
            entry = split_entry(fields)
            new = entry_new(entry)
            batch.rows.add(new)
        except EventUnreadable as error:
            batch.n_unreadable += 1
            # By its id: a run that is begun again puts nothing aside twice.
            redis_client().hset(unreadable_key(shard), entry_id.decode(), repr(fields))
            logger.error("entry_unreadable", extra={"shard": shard, "entry": entry_id.decode(), "error": str(error)})
            continue
        _check_continuity(shard, batch, entry)
        if new.n_events:
            batch.instants.append(entry.at)
        batch.n_said = entry.n_before + entry.n_events
    return batch


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

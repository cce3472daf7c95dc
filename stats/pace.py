"""When the scheduled rollup had better wait. Whoever needs all sums now calls `usage_roll_up` itself.

A rollup's work is mostly that of the sums it adds to, however many records it adds. While ingest is behind, one each
second would add to much the same sums again and again, and take from ingest what it needs to catch up.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from goongdash.lib.clock import utc_now
from stats.ingest import BATCH_ENTRIES
from stats.models import ShardCursor
from stats.rollups import BATCH_RECORDS, shard_roll_up
from stats.stream import redis_client, stream_key

# How long records wait at the most, whatever comes behind them.
PATIENCE = timedelta(seconds=5)


def usage_keep_up() -> int:
    """Adds to the sums what is new, unless more is about to come that may go with it; returns how many records."""
    now = utc_now()
    return sum(shard_roll_up(cursor.shard) for cursor in ShardCursor.objects.all() if _is_due(cursor, now))


def _is_due(cursor: ShardCursor, now: datetime) -> bool:
    n_new = cursor.n_records - cursor.n_rolled_up
    has_waited = cursor.waiting_since is None or now - cursor.waiting_since >= PATIENCE
    return n_new > 0 and (n_new >= BATCH_RECORDS or has_waited or not _is_ingest_behind(cursor.shard))


def _is_ingest_behind(shard: int) -> bool:
    """Whether as much waits in the stream as ingest can store at once."""
    return redis_client().xlen(stream_key(shard)) >= BATCH_ENTRIES

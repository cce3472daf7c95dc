"""One partition of the usage records for each day of the installation's zone: made ahead, dropped by retention."""

from __future__ import annotations

import re
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from django.db import connection, transaction

from goongdash.lib.periods import day_number, day_start

TABLE = "stats_usagerecord"
_NAME = re.compile(rf"{TABLE}_(\d{{4}})(\d{{2}})(\d{{2}})")
# Serialises those who make or drop partitions; the number is arbitrary and used for nothing else.
_LOCK = 7_203_118

# Ids are made of the shard and a number that the cursor compares with its watermark, so the id's index is enough.
_NEW_RECORDS = """
    SELECT EXISTS (
        SELECT 1 FROM stats_shardcursor AS c JOIN {partition} AS r
        ON r.id > (c.shard::bigint << 48) + c.n_rolled_up AND r.id < (c.shard::bigint + 1) << 48
    )
"""


def partition_name(day: date) -> str:
    return f"{TABLE}_{day_number(day)}"


def partition_days() -> set[date]:
    """The days that have a partition."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = %s::regclass", [TABLE])
        names = [_NAME.search(name) for (name,) in cursor.fetchall()]
    return {date(int(m[1]), int(m[2]), int(m[3])) for m in names if m}


def partitions_ensure(days: set[date], *, zone: ZoneInfo) -> int:
    """Makes the partitions of `days` that are missing and returns how many; safe for two at once."""
    if not days - partition_days():
        return 0
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
        missing = sorted(days - partition_days())
        for day in missing:
            start, end = day_start(day, zone), day_start(day + timedelta(days=1), zone)
            cursor.execute(
                f"CREATE TABLE {partition_name(day)} PARTITION OF {TABLE} FOR VALUES FROM (%s) TO (%s)",
                [start, end],
            )
    return len(missing)


def partitions_drop(*, before: date) -> int:
    """Drops the partitions of days before `before` and returns how many. Their sums stay in the rollups.

    A partition with records that are not in the rollups yet stays until they are.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
        old = sorted(day for day in partition_days() if day < before)
        if not old:
            return 0
        # An ingest under way may be writing just such a record: its end is waited for before the look.
        cursor.execute(f"LOCK TABLE {TABLE} IN ACCESS EXCLUSIVE MODE")
        old = [day for day in old if not _has_new_records(day)]
        for day in old:
            cursor.execute(f"DROP TABLE {partition_name(day)}")
    return len(old)


def _has_new_records(day: date) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(_NEW_RECORDS.format(partition=partition_name(day)))
        (found,) = cursor.fetchone() or (False,)
        return bool(found)

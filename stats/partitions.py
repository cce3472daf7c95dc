"""The tables that are cut by time: which partition a day goes into, made ahead and dropped by retention.

Records and minutes have a partition for each day of the installation's zone, hours one for each month: dropping a
partition costs nothing and leaves nothing to vacuum, whatever was in it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from django.db import connection, transaction

from goongdash.lib.periods import Month, day_number, day_start

# Serialises those who make or drop partitions; the number is arbitrary and used for nothing else.
_LOCK = 7_203_118
# A partition that others read is dropped an hour later rather than that everyone waits behind the wait for them.
_PATIENCE = "5s"

# Ids are made of the shard and a number that the cursor compares with its watermark, so the id's index is enough.
_NEW_RECORDS = """
    SELECT EXISTS (
        SELECT 1 FROM stats_shardcursor AS c JOIN {partition} AS r
        ON r.id > (c.shard::bigint << 48) + c.n_rolled_up AND r.id < (c.shard::bigint + 1) << 48
    )
"""


@dataclass(frozen=True, slots=True)
class PartitionedTable:
    """A table cut by day or month. `storage` is what each partition is made with: PostgreSQL lets none inherit it."""

    name: str
    cut: Literal["day", "month"] = "day"
    storage: str = ""

    def first_day(self, day: date) -> date:
        """The first day of the partition that `day` goes into."""
        return day if self.cut == "day" else Month.of(day).first_day

    def end_day(self, first: date) -> date:
        return first + timedelta(days=1) if self.cut == "day" else Month.of(first).next.first_day

    def partition(self, first: date) -> str:
        return f"{self.name}_{day_number(first) if self.cut == 'day' else Month.of(first).number}"

    def day_in(self, partition: str) -> date | None:
        """The first day of a partition, by its name; None for a table that is none of ours."""
        match = re.search(rf"{self.name}_(\d{{4}})(\d{{2}})(\d{{2}})?$", partition)
        return match and date(int(match[1]), int(match[2]), int(match[3] or 1))


RECORDS = PartitionedTable("stats_usagerecord")
# The rows of the current minute and hour are added to every second: what is free on their pages lets PostgreSQL
# write the new version beside the old one and leave the indexes alone (measured: docs/statistics-storage.md).
MINUTES = PartitionedTable("stats_minuteusage", storage="WITH (fillfactor = 70)")
HOURS = PartitionedTable("stats_hourlyusage", cut="month", storage="WITH (fillfactor = 70)")


def partition_name(day: date, table: PartitionedTable = RECORDS) -> str:
    return table.partition(table.first_day(day))


def partition_days(table: PartitionedTable = RECORDS) -> set[date]:
    """The first days of the table's partitions."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = %s::regclass", [table.name])
        return {day for (name,) in cursor.fetchall() if (day := table.day_in(name))}


def partitions_ensure(days: set[date], *, zone: ZoneInfo, table: PartitionedTable = RECORDS) -> int:
    """Makes the partitions of `days` that are missing and returns how many; safe for two at once.

    A partition is made apart and then attached, which lets others go on reading and writing the table.
    """
    wanted = {table.first_day(day) for day in days}
    if not wanted - partition_days(table):
        return 0
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
        missing = sorted(wanted - partition_days(table))
        for first in missing:
            start, end = day_start(first, zone), day_start(table.end_day(first), zone)
            name = table.partition(first)
            cursor.execute(f"CREATE TABLE {name} (LIKE {table.name} INCLUDING ALL) {table.storage}")
            cursor.execute(
                f"ALTER TABLE {table.name} ATTACH PARTITION {name} FOR VALUES FROM (%s) TO (%s)", [start, end]
            )
    return len(missing)


def partitions_drop(*, before: date, table: PartitionedTable = RECORDS) -> int:
    """Drops the partitions that end before `before` begins and returns how many.

    A partition with records that are not in the rollups yet stays until they are. Raises OperationalError, and drops
    nothing, where somebody has been reading for long.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
        old = sorted(first for first in partition_days(table) if table.end_day(first) <= before)
        if not old:
            return 0
        cursor.execute(f"SET LOCAL lock_timeout = '{_PATIENCE}'")
        # An ingest under way may be writing just such a record: its end is waited for before the look.
        cursor.execute(f"LOCK TABLE {table.name} IN ACCESS EXCLUSIVE MODE")
        if table is RECORDS:
            old = [first for first in old if not _has_new_records(first)]
        for first in old:
            cursor.execute(f"DROP TABLE {table.partition(first)}")
    return len(old)


def _has_new_records(day: date) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(_NEW_RECORDS.format(partition=partition_name(day)))
        (found,) = cursor.fetchone() or (False,)
        return bool(found)

"""Adds new usage records to the hourly and daily sums, exactly once; rebuilds sums from records.

Sums and watermark are written in one transaction. Days are summed from the same hours, so that both agree.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta

from django.conf import settings
from django.db import connection, transaction

from goongdash.lib.clock import utc_now
from goongdash.lib.periods import day_start
from stats.ingest import SHARD_BITS
from stats.models import DailyUsage, HourlyUsage, ShardCursor, UsageRecord

BATCH_RECORDS = 500_000

_SUMS = """
    SELECT account_id, key_id, service_id, outcome, date_trunc('hour', at, %(zone)s) AS hour_at,
           count(*) AS n_requests, sum(units) AS units, sum(cost_micro_usd) AS cost_micro_usd
    FROM stats_usagerecord WHERE {where} GROUP BY 1, 2, 3, 4, 5
"""
_ADD = """
    WITH batch AS MATERIALIZED ({sums}), hours AS (
        INSERT INTO stats_hourlyusage AS h
            (account_id, key_id, service_id, outcome, hour_at, n_requests, units, cost_micro_usd)
        SELECT * FROM batch ORDER BY 1, 5, 2, 3, 4
        ON CONFLICT (account_id, hour_at, key_id, service_id, outcome) DO UPDATE SET
            n_requests = h.n_requests + excluded.n_requests, units = h.units + excluded.units,
            cost_micro_usd = h.cost_micro_usd + excluded.cost_micro_usd
    )
    INSERT INTO stats_dailyusage AS d
        (account_id, key_id, service_id, outcome, day_on, n_requests, units, cost_micro_usd)
    SELECT account_id, key_id, service_id, outcome, (hour_at AT TIME ZONE %(zone)s)::date,
           sum(n_requests), sum(units), sum(cost_micro_usd)
    FROM batch GROUP BY 1, 2, 3, 4, 5 ORDER BY 1, 5, 2, 3, 4
    ON CONFLICT (account_id, day_on, key_id, service_id, outcome) DO UPDATE SET
        n_requests = d.n_requests + excluded.n_requests, units = d.units + excluded.units,
        cost_micro_usd = d.cost_micro_usd + excluded.cost_micro_usd
"""


def usage_roll_up() -> int:
    """Adds every record not yet rolled up to the sums; returns how many records that were."""
    return sum(_roll_up_shard(shard) for shard in ShardCursor.objects.values_list("shard", flat=True))


def rollups_rebuild(*, first: date, last: date) -> int:
    """Computes the sums of the days `first` to `last` anew from their records; returns the number of records.

    A day without any record is left alone: its records have been dropped by retention, its sums are all
    there is. Runs beside ingest and rollup: the cursors are locked, a day at a time.
    """
    return sum(_rebuild_day(first + timedelta(days=n)) for n in range((last - first).days + 1))


@transaction.atomic
def _roll_up_shard(shard: int) -> int:
    # No wait: whoever holds the cursor is ingest (short) or another rollup (which does this work).
    cursor = ShardCursor.objects.select_for_update().get(shard=shard)
    n_new = min(cursor.n_records - cursor.n_rolled_up, BATCH_RECORDS)
    if n_new == 0:
        return 0
    base = (shard << SHARD_BITS) + cursor.n_rolled_up
    _add_sums("id > %(after)s AND id <= %(through)s", {"after": base, "through": base + n_new})
    cursor.n_rolled_up += n_new
    cursor.rolled_up_at = utc_now()
    cursor.save(update_fields=["n_rolled_up", "rolled_up_at"])
    return n_new


@transaction.atomic
def _rebuild_day(day: date) -> int:
    cursors = list(ShardCursor.objects.select_for_update().order_by("shard"))
    start, end = (day_start(d, settings.BILLING_ZONE) for d in (day, day + timedelta(days=1)))
    records = UsageRecord.objects.filter(at__gte=start, at__lt=end)
    if not records.exists():
        return 0
    HourlyUsage.objects.filter(hour_at__gte=start, hour_at__lt=end).delete()
    DailyUsage.objects.filter(day_on=day).delete()
    # Records beyond a shard's watermark are left to the next rollup, which would add them a second time.
    where = "at >= %(start)s AND at < %(end)s AND (false"
    params: dict[str, datetime | int] = {"start": start, "end": end}
    for cursor in cursors:
        base = cursor.shard << SHARD_BITS
        where += f" OR id BETWEEN {base + 1:d} AND {base + cursor.n_rolled_up:d}"
    _add_sums(where + ")", params)
    return records.count()


def _add_sums(where: str, params: dict[str, datetime | int]) -> None:
    sql = _ADD.format(sums=_SUMS.format(where=where))
    with connection.cursor() as cursor:
        cursor.execute(sql, {**params, "zone": settings.BILLING_TIME_ZONE})

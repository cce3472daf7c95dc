"""Adds new usage records to the hourly and daily sums, exactly once; rebuilds sums from records.

Sums and watermark are written in one transaction. Days are summed from the same hours, so that both agree.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta

from django.conf import settings
from django.db import connection, transaction

from goongdash.lib.clock import utc_now
from goongdash.lib.periods import day_of, day_start, days
from keys.last_use import LastUse, key_uses_note
from stats.ingest import SHARD_BITS, cursors_lock, ingest_all
from stats.models import DailyUsage, HourlyUsage, ShardCursor
from stats.outcomes import OUTCOMES, Outcome

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
# To the minute, so that a busy key's row is written once in a minute, however often there is a rollup.
_LAST_USES = """
    SELECT DISTINCT ON (key_id) key_id, date_trunc('minute', at), origin, host(ip)
    FROM stats_usagerecord WHERE id > %(after)s AND id <= %(through)s AND outcome = %(allowed)s
    ORDER BY key_id, at DESC
"""


def usage_roll_up() -> int:
    """Adds every record not yet rolled up to the sums; returns how many records that were."""
    return sum(_roll_up_shard(shard) for shard in ShardCursor.objects.values_list("shard", flat=True))


def usage_catch_up() -> tuple[int, int]:
    """Stores and adds up everything that waits; returns how many stream entries and how many records that were."""
    n_entries, n_records = ingest_all(), 0
    while n_new := usage_roll_up():
        n_records += n_new
    return n_entries, n_records


def rollups_rebuild(*, first: date, last: date) -> int:
    """Computes the sums of the days `first` to `last` anew from their records; returns the number of records.

    A day without any record, or beyond retention, is left alone: its records have been dropped, its sums are
    all there is. Runs beside ingest and rollup: the cursors are locked, a day at a time.
    """
    kept = day_of(utc_now(), settings.BILLING_ZONE) - timedelta(days=settings.RAW_RETENTION_DAYS)
    return sum(_rebuild_day(day) for day in days(max(first, kept), last))


@transaction.atomic
def _roll_up_shard(shard: int) -> int:
    # Whoever holds the cursor is soon done: ingest, or another rollup, which then leaves nothing to add.
    cursor = ShardCursor.objects.select_for_update().get(shard=shard)
    n_new = min(cursor.n_records - cursor.n_rolled_up, BATCH_RECORDS)
    if n_new == 0:
        return 0
    base = (shard << SHARD_BITS) + cursor.n_rolled_up
    batch = {"after": base, "through": base + n_new}
    _add_sums("id > %(after)s AND id <= %(through)s", batch)
    _note_last_uses(batch)
    cursor.n_rolled_up += n_new
    cursor.rolled_up_at = utc_now()
    cursor.save(update_fields=["n_rolled_up", "rolled_up_at"])
    return n_new


@transaction.atomic
def _rebuild_day(day: date) -> int:
    start, end = (day_start(d, settings.BILLING_ZONE) for d in (day, day + timedelta(days=1)))
    # Records beyond a shard's watermark are left to the next rollup, which would add them a second time.
    where = "at >= %(start)s AND at < %(end)s AND (false"
    for cursor in cursors_lock():
        base = cursor.shard << SHARD_BITS
        where += f" OR id BETWEEN {base + 1:d} AND {base + cursor.n_rolled_up:d}"
    where, params = where + ")", {"start": start, "end": end}
    n_records = _count(where, params)
    if n_records:
        HourlyUsage.objects.filter(hour_at__gte=start, hour_at__lt=end).delete()
        DailyUsage.objects.filter(day_on=day).delete()
        _add_sums(where, params)
    return n_records


def _count(where: str, params: dict[str, datetime]) -> int:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM stats_usagerecord WHERE {where}", params)  # noqa: S608 — no input.
        (n_records,) = cursor.fetchone() or (0,)
        return int(n_records)


def _add_sums(where: str, params: Mapping[str, datetime | int]) -> None:
    sql = _ADD.format(sums=_SUMS.format(where=where))
    with connection.cursor() as cursor:
        cursor.execute(sql, {**params, "zone": settings.BILLING_TIME_ZONE})


def _note_last_uses(batch: Mapping[str, int]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_LAST_USES, {**batch, "allowed": OUTCOMES[Outcome.ALLOWED].number})
        key_uses_note(LastUse(*row) for row in cursor.fetchall())

"""Adds new usage records to their sums by minute, hour, day and origin, exactly once; rebuilds sums from records.

Sums and watermark are written in one transaction. All sums of a batch are made of the same groups, so that they
agree. What is too old for the minutes or hours that are kept is in the days only.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from django.conf import settings
from django.db import connection, transaction

from accounts.models import Account
from goongdash.lib.clock import utc_now
from goongdash.lib.periods import day_of, day_start, days
from keys.last_use import key_uses_note_selected
from stats.groups import USUAL_PLANNING, Records, records_group
from stats.ingest import SHARD_BITS, cursors_lock, ingest_all
from stats.models import DailyOriginUsage, DailyUsage, HourlyUsage, MinuteUsage, ShardCursor
from stats.origin_sums import origins_note
from stats.outcomes import OUTCOMES, Outcome
from stats.partitions import HOURS, MINUTES, partition_days, partitions_ensure
from stats.retention import hours_from, minutes_from, records_from

BATCH_RECORDS = 1_000_000
# Serialises the rollups of a shard; the number is arbitrary and used for nothing else.
_LOCK = 7_203_121
# Of a cursor from before there was `new_since`.
_EVER = datetime(1970, 1, 1, tzinfo=UTC)
# Of how many origins a key's day has sums of their own. Anybody can name any; without a bound, one caller could
# make a row with each request.
MAX_ORIGINS = 50
# An hour begins on a full hour of the zone's clock, and is the day's in which it begins. Rows are written in the order
# of their index, which keeps its pages in memory and two writers from waiting for each other.
_ADD = """
    WITH minutes AS MATERIALIZED (
        SELECT account_id, key_id, service_id, outcome, minute_at, sum(n) AS n, sum(u) AS u, sum(c) AS c
        FROM usage_groups GROUP BY 1, 2, 3, 4, 5
    ),
    hours AS MATERIALIZED (
        SELECT account_id, key_id, service_id, outcome, date_trunc('hour', minute_at, %(zone)s) AS hour_at,
               sum(n) AS n, sum(u) AS u, sum(c) AS c
        FROM minutes GROUP BY 1, 2, 3, 4, 5
    ),
    new_minutes AS (
        INSERT INTO stats_minuteusage AS known
            (account_id, key_id, service_id, outcome, minute_at, n_requests, units, cost_micro_usd)
        SELECT * FROM minutes WHERE minute_at >= %(minutes_from)s ORDER BY 1, 5, 2, 3, 4
        ON CONFLICT (account_id, minute_at, key_id, service_id, outcome) DO UPDATE SET {add}
    ),
    new_hours AS (
        INSERT INTO stats_hourlyusage AS known
            (account_id, key_id, service_id, outcome, hour_at, n_requests, units, cost_micro_usd)
        SELECT * FROM hours WHERE hour_at >= %(hours_from)s ORDER BY 1, 5, 2, 3, 4
        ON CONFLICT (account_id, hour_at, key_id, service_id, outcome) DO UPDATE SET {add}
    ),
    new_days AS (
        INSERT INTO stats_dailyusage AS known
            (account_id, key_id, service_id, outcome, day_on, n_requests, units, cost_micro_usd)
        SELECT account_id, key_id, service_id, outcome, (hour_at AT TIME ZONE %(zone)s)::date, sum(n), sum(u), sum(c)
        FROM hours GROUP BY 1, 2, 3, 4, 5 ORDER BY 1, 5, 2, 3, 4
        ON CONFLICT (account_id, day_on, key_id, service_id, outcome) DO UPDATE SET {add}
    ),
    {origins},
    new_origins AS (
        INSERT INTO stats_dailyoriginusage AS known
            (account_id, day_on, key_id, origin, country, service_id, outcome, n_requests, units, cost_micro_usd)
        SELECT account_id, day_on, key_id, CASE WHEN has_row THEN origin END, country, service_id, outcome,
               sum(n), sum(u), sum(c)
        FROM origins JOIN origins_of_keys USING (account_id, day_on, key_id, origin)
        GROUP BY 1, 2, 3, 4, 5, 6, 7 ORDER BY 1, 2, 3, 4, 5, 6, 7
        ON CONFLICT (account_id, day_on, key_id, origin, country, service_id, outcome) DO UPDATE SET {add}
    )
    SELECT
"""
_SUM_UP = """
    n_requests = known.n_requests + excluded.n_requests, units = known.units + excluded.units,
    cost_micro_usd = known.cost_micro_usd + excluded.cost_micro_usd
"""
# An origin that the key's day has already goes on; of the others, those with the most requests get what room is left.
_ORIGINS = """
    origins AS MATERIALIZED (
        SELECT account_id, (minute_at AT TIME ZONE %(zone)s)::date AS day_on, key_id, origin, country, service_id,
               outcome, sum(n) AS n, sum(u) AS u, sum(c) AS c
        FROM usage_groups GROUP BY 1, 2, 3, 4, 5, 6, 7
    ),
    asked AS MATERIALIZED (
        SELECT account_id, day_on, key_id, origin, sum(n) AS n, origin = '' OR EXISTS (
            SELECT 1 FROM stats_dailyoriginusage AS known
            WHERE (known.account_id, known.day_on, known.key_id, known.origin)
                = (origins.account_id, origins.day_on, origins.key_id, origins.origin)
        ) AS has_row
        FROM origins GROUP BY 1, 2, 3, 4
    ),
    keys_with_room AS MATERIALIZED (
        SELECT account_id, day_on, key_id, %(max_origins)s - (
            SELECT count(DISTINCT origin) FILTER (WHERE origin <> '') FROM stats_dailyoriginusage AS known
            WHERE (known.account_id, known.day_on, known.key_id) = (asked.account_id, asked.day_on, asked.key_id)
        ) AS room
        FROM asked WHERE NOT has_row GROUP BY 1, 2, 3
    ),
    origins_of_keys AS (
        SELECT account_id, day_on, key_id, origin, true AS has_row FROM asked WHERE has_row
        UNION ALL
        SELECT account_id, day_on, key_id, origin,
               row_number() OVER (PARTITION BY account_id, day_on, key_id ORDER BY n DESC, origin) <= room
        FROM asked JOIN keys_with_room USING (account_id, day_on, key_id) WHERE NOT has_row
    )
"""
# To the minute, so that a busy key's row is written once in a minute, however often there is a rollup. The record is
# found by the index of its account and time.
_LAST_USES = """
    SELECT used.key_id, date_trunc('minute', used.at), r.origin, r.ip
    FROM (
        SELECT account_id, key_id, max(last_at) AS at FROM usage_groups WHERE outcome = %(allowed)s GROUP BY 1, 2
    ) AS used
    CROSS JOIN LATERAL (
        SELECT origin, ip FROM stats_usagerecord AS r
        WHERE r.account_id = used.account_id AND r.at = used.at AND r.key_id = used.key_id AND r.outcome = %(allowed)s
              AND r.at >= %(since)s
        ORDER BY id DESC LIMIT 1
    ) AS r
"""


def usage_roll_up() -> int:
    """Adds the records not yet rolled up to the sums, a batch of each shard; returns how many that were."""
    return sum(shard_roll_up(shard) for shard in ShardCursor.objects.values_list("shard", flat=True))


def usage_catch_up() -> tuple[int, int]:
    """Stores and adds up everything that waits; returns how many stream entries and how many records that were."""
    n_entries, n_records = ingest_all(), 0
    while n_new := usage_roll_up():
        n_records += n_new
    return n_entries, n_records


def rollups_rebuild(*, first: date, last: date, account: Account | None = None, is_dry: bool = False) -> int:
    """Computes the sums of the days `first` to `last` anew from their records; returns the number of records.

    Those of all accounts or of one; where `is_dry`, records are counted and nothing is written. A day without any
    record, or beyond retention, is left alone: its records have been dropped, its sums are all there is. Runs beside
    ingest and rollup: the cursors are locked, a day at a time.
    """
    today = day_of(utc_now(), settings.BILLING_ZONE)
    kept = records_from(today, settings.RAW_RETENTION_DAYS)
    return sum(_rebuild_day(day, account, is_dry=is_dry) for day in days(max(first, kept), last))


@transaction.atomic
def shard_roll_up(shard: int) -> int:
    """As `usage_roll_up`, of one shard and a batch at the most."""
    _lock(shard)
    cursor = ShardCursor.objects.get(shard=shard)
    n_new = min(cursor.n_records - cursor.n_rolled_up, BATCH_RECORDS)
    if n_new == 0:
        return 0
    base = (shard << SHARD_BITS) + cursor.n_rolled_up
    # The time spares a look at the partitions of days from which there is nothing new.
    where = "id > %(after)s AND id <= %(through)s AND at >= %(new_since)s"
    since = cursor.new_since or _EVER
    records = Records(where, {"after": base, "through": base + n_new, "new_since": since})
    records_group(records)
    _add_sums()
    key_uses_note_selected(_LAST_USES, {"allowed": OUTCOMES[Outcome.ALLOWED].number, "since": since})
    origins_note()
    _move_watermark(shard, cursor.n_rolled_up + n_new)
    return n_new


def _lock(shard: int) -> None:
    """One rollup of a shard at a time, until its transaction ends. Ingest goes on beside it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [_LOCK, shard])


def _move_watermark(shard: int, n_rolled_up: int) -> None:
    """Waits for an ingest under way, which is soon done, as it writes to the same row."""
    cursor = ShardCursor.objects.select_for_update().get(shard=shard)
    cursor.n_rolled_up = n_rolled_up
    cursor.rolled_up_at = cursor.waiting_since = utc_now()
    if cursor.n_records == n_rolled_up:
        cursor.new_since = cursor.waiting_since = None
    cursor.save(update_fields=["n_rolled_up", "new_since", "waiting_since", "rolled_up_at"])


@transaction.atomic
def _rebuild_day(day: date, account: Account | None, *, is_dry: bool) -> int:
    records = _records_of(day, account)
    n_records = _count(records)
    if n_records and not is_dry:
        _delete_sums(day, account)
        records_group(records)
        _add_sums()
    return n_records


def _records_of(day: date, account: Account | None) -> Records:
    """The records of a day that are in the sums. No others will be until the transaction ends."""
    for shard in ShardCursor.objects.order_by("shard").values_list("shard", flat=True):
        _lock(shard)
    # Records beyond a shard's watermark are left to the next rollup, which would add them a second time.
    shards = " OR ".join(
        f"id BETWEEN {(cursor.shard << SHARD_BITS) + 1:d} AND {(cursor.shard << SHARD_BITS) + cursor.n_rolled_up:d}"
        for cursor in cursors_lock()
    )
    start, end = (day_start(d, settings.BILLING_ZONE) for d in (day, day + timedelta(days=1)))
    where, params = f"at >= %(start)s AND at < %(end)s AND ({shards})", {"start": start, "end": end}
    if account is None:
        return Records(where, params)
    return Records(f"account_id = %(account_id)s AND {where}", {**params, "account_id": account.pk})


def _delete_sums(day: date, account: Account | None) -> None:
    start, end = (day_start(d, settings.BILLING_ZONE) for d in (day, day + timedelta(days=1)))
    of_whom = {} if account is None else {"account": account}
    MinuteUsage.objects.filter(**of_whom, minute_at__gte=start, minute_at__lt=end).delete()
    HourlyUsage.objects.filter(**of_whom, hour_at__gte=start, hour_at__lt=end).delete()
    DailyUsage.objects.filter(**of_whom, day_on=day).delete()
    DailyOriginUsage.objects.filter(**of_whom, day_on=day).delete()


def _count(records: Records) -> int:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM stats_usagerecord WHERE {records.where}", records.params)  # noqa: S608
        (n_records,) = cursor.fetchone() or (0,)
        return int(n_records)


def _add_sums() -> None:
    """Adds the groups to all sums, in one statement."""
    zone, today = settings.BILLING_ZONE, day_of(utc_now(), settings.BILLING_ZONE)
    first_minutes, first_hours = minutes_from(today), hours_from(today)
    stored = partition_days()
    partitions_ensure({day for day in stored if day >= first_minutes}, zone=zone, table=MINUTES)
    partitions_ensure({day for day in stored if day >= first_hours}, zone=zone, table=HOURS)
    params: dict[str, str | int | datetime] = {
        "zone": settings.BILLING_TIME_ZONE,
        "minutes_from": day_start(first_minutes, zone),
        "hours_from": day_start(first_hours, zone),
        "max_origins": MAX_ORIGINS,
    }
    with connection.cursor() as cursor:
        cursor.execute(_ADD.format(add=_SUM_UP, origins=_ORIGINS), params)
        cursor.execute(USUAL_PLANNING)

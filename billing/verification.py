"""Compares what the gates said with everything made of it: events = records = hours = days = ledger.

One repeatable-read snapshot, so that it can run on a live site. What has not been read, rolled up or charged
yet is *pending*, not a difference; a difference is named by the first place where two sides disagree.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.conf import settings
from django.db import connection, transaction

from goongdash.lib.periods import day_of, day_start
from stats.models import ShardCursor
from stats.retention import hours_from
from stats.stream import count_key, redis_client

# A finished day is charged within the hour; until then it is pending.
CHARGE_GRACE = timedelta(hours=2)

Sums = tuple[int, int, int]
Key = tuple[int, date]

_RECORDS = """
    SELECT account_id, (at AT TIME ZONE %(zone)s)::date AS day_on, count(*), sum(units), sum(cost_micro_usd)
    FROM stats_usagerecord AS r JOIN stats_shardcursor AS c ON c.shard = r.id >> 48
    WHERE (r.id & ((1::bigint << 48) - 1)) <= c.n_rolled_up
    GROUP BY 1, 2
"""
_HOURS = """
    SELECT account_id, (hour_at AT TIME ZONE %(zone)s)::date, sum(n_requests), sum(units), sum(cost_micro_usd)
    FROM stats_hourlyusage GROUP BY 1, 2
"""
_DAYS = """
    SELECT account_id, day_on, sum(n_requests), sum(units), sum(cost_micro_usd) FROM stats_dailyusage GROUP BY 1, 2
"""
_LEDGER = """
    SELECT account_id, usage_on, -sum(amount_micro_usd) FROM billing_ledgerentry
    WHERE usage_on IS NOT NULL GROUP BY 1, 2
"""


@dataclass(frozen=True, slots=True)
class Difference:
    """Two sides that disagree about an account's day (None: about everything); numbers are left minus right."""

    sides: str
    account_id: int | None
    day_on: date | None
    n_requests: int
    units: int
    cost_micro_usd: int


@dataclass(frozen=True, slots=True)
class Verification:
    """The totals of each side, what is still pending, and every difference."""

    n_events: int
    n_records: int
    n_hours: int
    n_days: int
    cost_days_micro_usd: int
    cost_ledger_micro_usd: int
    n_pending_events: int
    n_pending_records: int
    n_lost: int
    pending_charge_micro_usd: int
    differences: tuple[Difference, ...]

    @property
    def holds(self) -> bool:
        return not self.differences


@transaction.atomic
def usage_verify(now: datetime) -> Verification:
    """The comparison as of now. Must begin its transaction, for the snapshot to be one."""
    with connection.cursor() as cursor:
        if not connection.needs_rollback and connection.savepoint_ids == []:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
    cursors = list(ShardCursor.objects.order_by("shard"))
    records, hours, days = (_sums(sql) for sql in (_RECORDS, _HOURS, _DAYS))
    ledger, today = _charged(), day_of(now, settings.BILLING_ZONE)
    # Hours may still be there that the next run of the schedule drops.
    hours = {key: sums for key, sums in hours.items() if key[1] >= hours_from(today)}
    # Beyond retention only the sums count: of such a day some records may be left, or have come late.
    records = {key: sums for key, sums in records.items() if not _is_dropped(key[1], now)}
    n_dropped = sum(sums[0] for (_, day), sums in days.items() if _is_dropped(day, now))
    n_rolled = sum(sums[0] for sums in records.values()) + n_dropped
    differences = [
        *_event_differences(cursors, n_rolled),
        *_differences("records - hours", records, {k: v for k, v in hours.items() if not _is_dropped(k[1], now)}),
        *_differences("hours - days", hours, {k: v for k, v in days.items() if k[1] >= hours_from(today)}),
        *_ledger_differences(days, ledger, now),
    ]
    cost_days = sum(sums[2] for sums in days.values())
    cost_ledger = sum(ledger.values())
    return Verification(
        n_events=sum(c.n_records + c.n_lost for c in cursors),
        n_records=n_rolled + sum(c.n_records - c.n_rolled_up for c in cursors),
        n_hours=sum(sums[0] for sums in hours.values()),
        n_days=sum(sums[0] for sums in days.values()),
        cost_days_micro_usd=cost_days,
        cost_ledger_micro_usd=cost_ledger,
        n_pending_events=n_events_pending(cursors),
        n_pending_records=sum(c.n_records - c.n_rolled_up for c in cursors),
        n_lost=sum(c.n_lost for c in cursors),
        pending_charge_micro_usd=cost_days - cost_ledger,
        differences=tuple(differences),
    )


def n_events_pending(cursors: list[ShardCursor]) -> int:
    """Events that the gates have said and ingest has not stored yet."""
    said = {cursor.shard: cursor.n_said for cursor in cursors}
    return sum(
        max(0, int(redis_client().get(count_key(shard)) or 0) - said.get(shard, 0))
        for shard in range(settings.USAGE_SHARDS)
    )


def _event_differences(cursors: list[ShardCursor], n_rolled: int) -> Iterator[Difference]:
    # The events of an unreadable entry are lost ones; the entry is named as well, for it may be the last so far.
    for sides, n in (
        ("events lost", sum(c.n_lost for c in cursors)),
        ("entries unreadable", sum(c.n_unreadable for c in cursors)),
        ("events - records", sum(c.n_rolled_up for c in cursors) - n_rolled),
    ):
        if n:
            yield Difference(sides, None, None, n, 0, 0)


def _differences(sides: str, left: dict[Key, Sums], right: dict[Key, Sums]) -> Iterator[Difference]:
    for key in sorted(left.keys() | right.keys()):
        ours, theirs = left.get(key, (0, 0, 0)), right.get(key, (0, 0, 0))
        if ours != theirs:
            n, units, cost = (a - b for a, b in zip(ours, theirs, strict=True))
            yield Difference(sides, *key, n, units, cost)


def _ledger_differences(days: dict[Key, Sums], ledger: dict[Key, int], now: datetime) -> Iterator[Difference]:
    for key in sorted(days.keys() | ledger.keys()):
        cost, charged = days.get(key, (0, 0, 0))[2], ledger.get(key, 0)
        day_end = day_start(key[1] + timedelta(days=1), settings.BILLING_ZONE)
        is_pending = key not in ledger and now < day_end + CHARGE_GRACE
        if cost != charged and not is_pending:
            yield Difference("days - ledger", *key, 0, 0, cost - charged)


def _is_dropped(day: date, now: datetime) -> bool:
    return day < day_of(now, settings.BILLING_ZONE) - timedelta(days=settings.RAW_RETENTION_DAYS)


def _sums(sql: str) -> dict[Key, Sums]:
    with connection.cursor() as cursor:
        cursor.execute(sql, {"zone": settings.BILLING_TIME_ZONE})
        return {(row[0], row[1]): (int(row[2]), int(row[3]), int(row[4])) for row in cursor.fetchall()}


def _charged() -> dict[Key, int]:
    with connection.cursor() as cursor:
        cursor.execute(_LEDGER)
        return {(row[0], row[1]): int(row[2]) for row in cursor.fetchall()}

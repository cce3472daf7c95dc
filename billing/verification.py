"""Compares what the gates said with everything made of it: events = records = hours = days = ledger = statements.

And the sums beside that road: minutes and origins, and the lines of statements. One repeatable-read snapshot, so that
it can run on a live site; the database does the comparing. What has not been read, rolled up or charged yet is
*pending*, not a difference; a difference is named by the first place where two sides disagree.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import connection, transaction

from accounts.models import Account
from billing.comparing import Compared, Difference, compare
from goongdash.lib.periods import day_of, day_start
from stats.models import ShardCursor
from stats.retention import hours_from, minutes_from, records_from
from stats.stream import count_key, redis_client

# A finished day is charged within the hour; until then it is pending.
CHARGE_GRACE = timedelta(hours=2)

_WHOSE = "(%(account_id)s::bigint IS NULL OR account_id = %(account_id)s)"
_SUMS = "sum(n_requests) AS n, sum(units) AS u, sum(cost_micro_usd) AS c"
_RECORDS = f"""
    SELECT account_id, (at AT TIME ZONE %(zone)s)::date AS day_on, count(*) AS n, sum(units) AS u,
           sum(cost_micro_usd) AS c
    FROM stats_usagerecord AS r JOIN stats_shardcursor AS s ON s.shard = r.id >> 48
    WHERE (r.id & ((1::bigint << 48) - 1)) <= s.n_rolled_up AND at >= %(records_start)s AND {_WHOSE}
    GROUP BY 1, 2
"""  # noqa: S608 — made of constants.
_MINUTES = f"""
    SELECT account_id, (minute_at AT TIME ZONE %(zone)s)::date AS day_on, {_SUMS}
    FROM stats_minuteusage WHERE minute_at >= %(minutes_start)s AND {_WHOSE} GROUP BY 1, 2
"""  # noqa: S608
_HOURS = f"""
    SELECT account_id, (hour_at AT TIME ZONE %(zone)s)::date AS day_on, {_SUMS}
    FROM stats_hourlyusage WHERE hour_at >= {{since}} AND {_WHOSE} GROUP BY 1, 2
"""  # noqa: S608
_DAYS = f"""
    SELECT account_id, day_on, {_SUMS} FROM stats_dailyusage WHERE day_on >= {{since}} AND {_WHOSE} GROUP BY 1, 2
"""  # noqa: S608
_DAYS_COST = f"""
    SELECT account_id, day_on, 0 AS n, 0 AS u, sum(cost_micro_usd) AS c
    FROM stats_dailyusage WHERE {_WHOSE} GROUP BY 1, 2
"""  # noqa: S608
_ORIGINS = f"SELECT account_id, day_on, {_SUMS} FROM stats_dailyoriginusage WHERE {_WHOSE} GROUP BY 1, 2"  # noqa: S608
_CHARGES = f"""
    SELECT account_id, usage_on AS day_on, 0 AS n, 0 AS u, -sum(amount_micro_usd) AS c
    FROM billing_ledgerentry WHERE usage_on IS NOT NULL AND {_WHOSE} GROUP BY 1, 2
"""  # noqa: S608
# Of months that are closed: what the ledger charged in them and, as units and requests have no place in a ledger, what
# free credit paid, in the place of the units.
_LEDGER_MONTHS = f"""
    SELECT account_id, period_on AS day_on, 0 AS n,
           coalesce(sum(amount_micro_usd) FILTER (WHERE kind IN ('monthly_credit', 'expired_credit')), 0) AS u,
           coalesce(-sum(amount_micro_usd) FILTER (WHERE kind IN ('usage', 'late_usage')), 0) AS c
    FROM billing_ledgerentry JOIN billing_statement AS s USING (account_id, period_on)
    WHERE {_WHOSE} GROUP BY 1, 2
"""  # noqa: S608
_STATEMENTS = f"""
    SELECT account_id, period_on AS day_on, 0 AS n, credit_micro_usd AS u, gross_micro_usd AS c
    FROM billing_statement WHERE {_WHOSE}
"""  # noqa: S608
_LINES = f"""
    SELECT account_id, period_on AS day_on, 0 AS n, sum(l.credit_micro_usd) AS u, sum(l.amount_micro_usd) AS c
    FROM billing_statement AS s JOIN billing_statementline AS l ON l.statement_id = s.id
    WHERE {_WHOSE} GROUP BY 1, 2
"""  # noqa: S608


@dataclass(frozen=True, slots=True)
class Verification:
    """The totals of each side, what is still pending, and every difference (so many of each kind at most).

    Of one account, events are not told: they are counted by shard.
    """

    n_events: int
    n_records: int
    n_minutes: int
    n_hours: int
    n_days: int
    n_origins: int
    cost_days_micro_usd: int
    cost_ledger_micro_usd: int
    cost_statements_micro_usd: int
    n_pending_events: int
    n_pending_records: int
    n_lost: int
    pending_charge_micro_usd: int
    differences: tuple[Difference, ...]

    @property
    def holds(self) -> bool:
        return not self.differences


@transaction.atomic
def usage_verify(now: datetime, *, account: Account | None = None, records_from_on: date | None = None) -> Verification:
    """The comparison as of now. Must begin its transaction, for the snapshot to be one.

    Raw records are read as far back as they are kept, or from `records_from_on` on; all sums are read whole.
    """
    with connection.cursor() as cursor:
        if not connection.needs_rollback and connection.savepoint_ids == []:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
    cursors = list(ShardCursor.objects.order_by("shard"))
    params = _params(now, account, records_from_on)
    records = compare("records - hours", _RECORDS, _HOURS.format(since="%(records_start)s"), params)
    minutes = compare("minutes - hours", _MINUTES, _HOURS.format(since="%(minutes_start)s"), params)
    hours = compare("hours - days", _HOURS.format(since="%(hours_start)s"), _DAYS.format(since="%(hours_on)s"), params)
    origins = compare("origins - days", _ORIGINS, _DAYS.format(since="'-infinity'::date"), params)
    charges = compare("days - ledger", _DAYS_COST, _CHARGES, params, pending_from=_pending_from(now))
    statements = compare("ledger - statements", _LEDGER_MONTHS, _STATEMENTS, params)
    lines = compare("statements - lines", _STATEMENTS, _LINES, params)
    n_summed = records.left[0] + _n_before(params)
    n_pending = sum(c.n_records - c.n_rolled_up for c in cursors) if account is None else 0
    compared = (records, minutes, hours, origins, charges, statements, lines)
    of_events = list(_event_differences(cursors, n_summed)) if account is None else []
    return Verification(
        n_events=sum(c.n_records + c.n_lost for c in cursors) if account is None else n_summed,
        n_records=n_summed + n_pending,
        n_minutes=minutes.left[0],
        n_hours=hours.left[0],
        n_days=origins.right[0],
        n_origins=origins.left[0],
        cost_days_micro_usd=charges.left[2],
        cost_ledger_micro_usd=charges.right[2],
        cost_statements_micro_usd=statements.right[2],
        n_pending_events=n_events_pending(cursors) if account is None else 0,
        n_pending_records=n_pending,
        n_lost=sum(c.n_lost for c in cursors) if account is None else 0,
        pending_charge_micro_usd=charges.left[2] - charges.right[2],
        differences=(*of_events, *_all_differences(compared)),
    )


def n_events_pending(cursors: list[ShardCursor]) -> int:
    """Events that the gates have said and ingest has not stored yet."""
    said = {cursor.shard: cursor.n_said for cursor in cursors}
    return sum(
        max(0, int(redis_client().get(count_key(shard)) or 0) - said.get(shard, 0))
        for shard in range(settings.USAGE_SHARDS)
    )


def _params(now: datetime, account: Account | None, records_from_on: date | None) -> dict[str, Any]:
    zone, today = settings.BILLING_ZONE, day_of(now, settings.BILLING_ZONE)
    # Beyond retention only the sums count: of such a day some records may be left, or have come late. Hours may still
    # be there that the next run of the schedule drops.
    kept_on = max(records_from(today, settings.RAW_RETENTION_DAYS), hours_from(today))
    records_on = max(kept_on, records_from_on or date.min)
    return {
        "account_id": None if account is None else account.pk,
        "zone": settings.BILLING_TIME_ZONE,
        "records_on": records_on,
        "records_start": day_start(records_on, zone),
        "minutes_start": day_start(minutes_from(today), zone),
        "hours_on": hours_from(today),
        "hours_start": day_start(hours_from(today), zone),
    }


def _pending_from(now: datetime) -> date:
    """The first day that may still be waiting for its charge."""
    return day_of(now - CHARGE_GRACE, settings.BILLING_ZONE)


def _n_before(params: dict[str, Any]) -> int:
    """How many requests the days have whose records are not read."""
    sql = f"SELECT coalesce(sum(n_requests), 0) FROM stats_dailyusage WHERE day_on < %(records_on)s AND {_WHOSE}"  # noqa: S608
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        (n_requests,) = cursor.fetchone() or (0,)
        return int(n_requests)


def _event_differences(cursors: list[ShardCursor], n_summed: int) -> Iterator[Difference]:
    # The events of an unreadable entry are lost ones; the entry is named as well, for it may be the last so far.
    for sides, n in (
        ("events lost", sum(c.n_lost for c in cursors)),
        ("entries unreadable", sum(c.n_unreadable for c in cursors)),
        ("events - records", sum(c.n_rolled_up for c in cursors) - n_summed),
    ):
        if n:
            yield Difference(sides, None, None, n, 0, 0)


def _all_differences(compared: tuple[Compared, ...]) -> Iterator[Difference]:
    for each in compared:
        yield from each.differences

"""Reads single records of an account: a page of its request log, the record of a request id.

The key (account, at, id) answers both, from the newest on and partition by partition. No look-up reads on for
ever: a filter that hardly anything fits examines some ten thousand records at the most, led by the sums to the
days and hours in which there is anything, and then says how far it came.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection
from django.db.models import Max

from accounts.models import Account
from goongdash.lib.periods import day_of, day_start
from stats.log_query import LogQuery, Position
from stats.models import DailyUsage, HourlyUsage, UsageRecord
from stats.request_ids import request_time
from stats.retention import records_from

PAGE_SIZE = 50
# How many records one step examines, and how many steps a page may take.
STEP_RECORDS = 20_000
MAX_STEPS = 5
# The gate's clock is in the id, the store's in the record. The narrowest of these answers nearly always.
_CLOCKS_APART = (timedelta(seconds=2), timedelta(minutes=1), timedelta(minutes=10))

_STRETCH = """
    FROM stats_usagerecord
    WHERE account_id = %(account)s AND at >= %(first)s AND at <= %(last)s AND (at, id) {beyond} (%(at)s, %(id)s)
    ORDER BY at {order}, id {order}
"""
# The inner limit bounds the work; the planner stops it sooner when the outer one is reached.
_STEP = """
    SELECT * FROM (SELECT * {stretch} LIMIT %(n_examined)s) AS r
    WHERE {conditions} ORDER BY at {order}, id {order} LIMIT %(n_wanted)s
"""
_END_OF_STEP = "SELECT at, id {stretch} OFFSET %(n_examined)s - 1 LIMIT 1"


@dataclass(frozen=True, slots=True)
class LogPage:
    """Records, newest first. `looked_back_to` is where the look ended before the page was full; None: at the end.

    `has_older` and `has_newer` say whether there is, or may be, more beyond the page.
    """

    records: list[UsageRecord]
    has_older: bool = False
    has_newer: bool = False
    looked_back_to: Position | None = None


def log_page(*, account: Account, query: LogQuery, now: datetime, size: int = PAGE_SIZE) -> LogPage:
    """The newest records that fit `query`, or those before or after its cursor."""
    first = max(query.first or _oldest(now), _oldest(now))
    last = query.last or now + timedelta(days=1)  # The store's clock may be ahead of ours.
    query = replace(query, first=first, last=last)
    if query.after is not None:
        found = _read(account, query, query.after, n_wanted=size + 1, is_newer=True)
        if len(found.records) > size:
            return LogPage(found.records[:size][::-1], has_older=True, has_newer=True)
        query = replace(query, after=None)  # So few are newer that they fit into the newest page.
    found = _read(account, query, query.before or Position(last, 0), n_wanted=size + 1, is_newer=False)
    return LogPage(
        found.records[:size],
        has_older=len(found.records) > size,
        has_newer=query.before is not None,
        looked_back_to=found.looked_back_to,
    )


def record_found(*, account: Account, request_id: UUID) -> UsageRecord | None:
    """The record of a request of `account`; None where it has none, or no longer."""
    made_at = request_time(request_id)
    if made_at is None:
        return None
    for apart in _CLOCKS_APART:
        near = UsageRecord.objects.filter(account=account, at__gte=made_at - apart, at__lte=made_at + apart)
        record = near.filter(request_id=request_id).first()
        if record is not None:
            return record
    return None


def _oldest(now: datetime) -> datetime:
    """When the oldest day began that is kept."""
    zone = settings.BILLING_ZONE
    return day_start(records_from(day_of(now, zone), settings.RAW_RETENTION_DAYS), zone)


def _read(account: Account, query: LogQuery, position: Position, *, n_wanted: int, is_newer: bool) -> LogPage:
    """The records next to `position`, nearest first, in as few steps as it takes."""
    records: list[UsageRecord] = []
    for _ in range(MAX_STEPS):
        records += _step(account, query, position, n_wanted=n_wanted - len(records), is_newer=is_newer)
        if len(records) == n_wanted or not query.is_narrowed:
            return LogPage(records)
        end = _end_of_step(account, query, position, is_newer=is_newer)
        if end is None:
            return LogPage(records)
        next_position = end if is_newer else _skip_empty_hours(account, query, end)
        if next_position is None:
            return LogPage(records)
        position = next_position
    return LogPage(records, looked_back_to=position)


def _step(account: Account, query: LogQuery, position: Position, *, n_wanted: int, is_newer: bool) -> list[UsageRecord]:
    conditions, values = _conditions(account, query)
    n_examined = STEP_RECORDS if query.is_narrowed else n_wanted
    params = {**_bounds(account, query, position, is_newer), **values, "n_examined": n_examined, "n_wanted": n_wanted}
    sql = _STEP.format(stretch=_stretch(is_newer), conditions=conditions, order="ASC" if is_newer else "DESC")
    return list(UsageRecord.objects.raw(sql, params))


def _end_of_step(account: Account, query: LogQuery, position: Position, *, is_newer: bool) -> Position | None:
    """The last record that a step from `position` examines; None where it examines all that there are."""
    params = {**_bounds(account, query, position, is_newer), "n_examined": STEP_RECORDS}
    with connection.cursor() as cursor:
        cursor.execute(_END_OF_STEP.format(stretch=_stretch(is_newer)), params)
        row = cursor.fetchone()
    return row and Position(*row)


def _stretch(is_newer: bool) -> str:
    return _STRETCH.format(beyond=">", order="ASC") if is_newer else _STRETCH.format(beyond="<", order="DESC")


def _bounds(account: Account, query: LogQuery, position: Position, is_newer: bool) -> dict[str, Any]:
    """`first` and `last` say again what the position says, for the partitions: rows are not compared with them."""
    first, last = query.first, position.at
    if is_newer and query.last is not None:
        first, last = position.at, query.last - timedelta(microseconds=1)
    return {"account": account.pk, "first": first, "last": last, "at": position.at, "id": position.id}


def _conditions(account: Account, query: LogQuery) -> tuple[str, dict[str, Any]]:
    """What a record must fit, as SQL with named values."""
    parts, values = ["true"], dict[str, Any]()
    if query.key_id is not None:
        parts.append("r.key_id = %(key)s")
        values["key"] = query.key_id
    if query.key_type:
        # IS TRUE keeps it a filter: as a join it would be done for all that is examined, and that then sorted.
        keys = "SELECT id FROM keys_apikey WHERE account_id = %(account)s AND type = %(type)s"
        parts.append(f"(r.key_id IN ({keys})) IS TRUE")
        values["type"] = query.key_type
    if query.service_id is not None:
        parts.append("coalesce(r.service_id, 0) = %(service)s")
        values["service"] = query.service_id
    if query.outcomes is not None:
        parts.append("r.outcome = ANY(%(outcomes)s)")
        values["outcomes"] = list(query.outcomes)
    if query.would_refuse:
        parts.append("r.would_refuse")
    if query.names_no_origin:
        parts.append("r.origin = ''")
    elif query.origin:
        parts.append("strpos(lower(r.origin), %(origin)s) > 0")
        values["origin"] = query.origin.lower()
    return " AND ".join(parts), values


def _skip_empty_hours(account: Account, query: LogQuery, end: Position) -> Position | None:
    """Where to look on below `end`: at the end of the newest hour in which the sums know of a record that fits.

    None where they know of none. They do not know origins; a search for one alone goes on at `end`.
    """
    if not query.is_known_to_sums:
        return end
    fitting = _sums_filter(account, query)
    zone = settings.BILLING_ZONE
    day = DailyUsage.objects.filter(**fitting, day_on__lte=day_of(end.at, zone)).aggregate(on=Max("day_on"))["on"]
    if day is None:
        return None
    day_end = min(end.at, day_start(day + timedelta(days=1), zone))
    hours = HourlyUsage.objects.filter(**fitting, hour_at__lt=day_end, hour_at__gte=day_start(day, zone))
    hour = hours.aggregate(at=Max("hour_at"))["at"]
    hour_end = day_end if hour is None else hour + timedelta(hours=1)
    return end if hour_end >= end.at else Position(hour_end, 0)


def _sums_filter(account: Account, query: LogQuery) -> dict[str, Any]:
    asked: dict[str, Any] = {"account": account}
    if query.key_id is not None:
        asked["key"] = query.key_id
    if query.key_type:
        asked["key__type"] = query.key_type
    if query.service_id is not None:
        asked |= {"service": query.service_id} if query.service_id else {"service": None}
    if query.outcomes is not None:
        asked["outcome__in"] = list(query.outcomes)
    return asked

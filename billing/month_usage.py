"""Reads a month's daily sums of many accounts by service and price, and by day, in one query."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, NamedTuple

from django.db import connection

from billing.lines import UsedUnits
from goongdash.lib.periods import Month

_USED = """
    SELECT account_id, service_id, width_bucket(day_on, %(days)s::date[]) AS part, NULL AS day_on,
           sum(units)::bigint, sum(cost_micro_usd)::bigint
    FROM stats_dailyusage
    WHERE day_on >= %(first_on)s AND day_on < %(next_on)s
      AND (%(account_ids)s::bigint[] IS NULL OR account_id = ANY(%(account_ids)s))
    GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
"""
# Both cuts in one pass: of ten thousand accounts these are millions of rows.
_USED_AND_DAYS = """
    SELECT account_id, service_id, width_bucket(day_on, %(days)s::date[]) AS part, day_on,
           sum(units)::bigint, sum(cost_micro_usd)::bigint
    FROM stats_dailyusage
    WHERE day_on >= %(first_on)s AND day_on < %(next_on)s AND account_id = ANY(%(account_ids)s)
    GROUP BY GROUPING SETS ((1, 4), (1, 2, 3))
"""


class DayCost(NamedTuple):
    """What an account's day cost by its sums, in micro-dollars."""

    account_id: int
    day_on: date
    cost_micro_usd: int


@dataclass(frozen=True, slots=True)
class MonthSums:
    """One look at the sums of a month: `parts` by account id, and the cost of each day that was used at all."""

    parts: dict[int, list[UsedUnits]] = field(default_factory=dict)
    days: list[DayCost] = field(default_factory=list)


def month_usage(
    month: Month, price_days: Sequence[date], account_ids: Collection[int] | None = None
) -> Iterator[tuple[int, UsedUnits]]:
    """What each account used of `month`, parted at `price_days`, as (account id, part), in order of accounts."""
    for account_id, service_id, part, _, units, cost in _rows(_USED, month, price_days, account_ids):
        yield account_id, UsedUnits(service_id, price_days[part - 1], units, cost)


def month_sums(month: Month, price_days: Sequence[date], account_ids: Collection[int]) -> MonthSums:
    """The same of `account_ids`, and the cost of each of their days: both as of one moment."""
    sums = MonthSums()
    for account_id, service_id, part, day_on, units, cost in _rows(_USED_AND_DAYS, month, price_days, account_ids):
        if day_on is None:
            used = UsedUnits(service_id, price_days[part - 1], units, cost)
            sums.parts.setdefault(account_id, []).append(used)
        else:
            sums.days.append(DayCost(account_id, day_on, cost))
    return sums


def _rows(
    sql: str, month: Month, price_days: Sequence[date], account_ids: Collection[int] | None
) -> list[tuple[Any, ...]]:
    params: dict[str, Any] = {
        "days": list(price_days),
        "first_on": month.first_day,
        "next_on": month.next.first_day,
        "account_ids": None if account_ids is None else list(account_ids),
    }
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
        return rows

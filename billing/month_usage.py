"""Reads a month's daily sums of many accounts by service and price, in one query."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import date
from typing import Any

from django.db import connection

from billing.lines import UsedUnits
from goongdash.lib.periods import Month

_USED = """
    SELECT account_id, service_id, width_bucket(day_on, %(days)s::date[]) AS part, sum(units)::bigint,
           sum(cost_micro_usd)::bigint
    FROM stats_dailyusage
    WHERE day_on >= %(first_on)s AND day_on < %(next_on)s
      AND (%(account_ids)s::bigint[] IS NULL OR account_id = ANY(%(account_ids)s))
    GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
"""


def month_usage(
    month: Month, price_days: Sequence[date], account_ids: Collection[int] | None = None
) -> Iterator[tuple[int, UsedUnits]]:
    """What each account used of `month`, parted at `price_days`, as (account id, part), in order of accounts."""
    params: dict[str, Any] = {
        "days": list(price_days),
        "first_on": month.first_day,
        "next_on": month.next.first_day,
        "account_ids": None if account_ids is None else list(account_ids),
    }
    with connection.cursor() as cursor:
        cursor.execute(_USED, params)
        for account_id, service_id, part, units, cost in cursor.fetchall():
            yield account_id, UsedUnits(service_id, price_days[part - 1], units, cost)

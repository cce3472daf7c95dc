"""A rollup's records, grouped as finely as any of its sums needs them: they are read once, and all is made of that.

The groups are in a table of the session, `usage_groups`, and gone when the transaction ends. Names: `n` requests, `u`
units, `c` micro-dollars; `n_charged` are those with units, the first and last of which tell the time.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db import connection

# What a batch is grouped in: the usual few megabytes would send most of it to files.
_WORK_MEMORY = "64MB"
# Nobody knows how many rows a WITH query has. Joined as if there were few, two of them take minutes; and what is
# planned for many is not worth compiling.
PLANNING = f"SET LOCAL work_mem = '{_WORK_MEMORY}'; SET LOCAL enable_nestloop = off; SET LOCAL jit = off"
USUAL_PLANNING = "SET LOCAL enable_nestloop = on"

_TABLE = """
    CREATE TEMPORARY TABLE IF NOT EXISTS usage_groups (
        account_id bigint, key_id bigint, service_id integer, outcome smallint, minute_at timestamptz, origin text,
        country text, n bigint, u bigint, c bigint, last_at timestamptz, n_charged bigint, charged_from timestamptz,
        charged_until timestamptz
    ) ON COMMIT DELETE ROWS;
    DELETE FROM usage_groups
"""
_GROUP = """
    INSERT INTO usage_groups
    SELECT account_id, key_id, service_id, outcome, date_bin('1 minute', at, 'epoch'), origin, country,
           count(*), sum(units), sum(cost_micro_usd), max(at),
           count(*) FILTER (WHERE units > 0), min(at) FILTER (WHERE units > 0), max(at) FILTER (WHERE units > 0)
    FROM stats_usagerecord WHERE {where} GROUP BY 1, 2, 3, 4, 5, 6, 7
"""


@dataclass(frozen=True, slots=True)
class Records:
    """Which records: a condition in SQL, made of no input, and its parameters."""

    where: str
    params: Mapping[str, datetime | int]


def records_group(records: Records) -> None:
    """Fills `usage_groups`, and leaves the planner as the rollup's further statements need it."""
    with connection.cursor() as cursor:
        cursor.execute(PLANNING)
        cursor.execute(_TABLE)
        cursor.execute(_GROUP.format(where=records.where), records.params)

"""Compares two tables of sums by account and day in the database: their totals, and the rows where they disagree."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db import connection

from goongdash.lib.money import format_usd

# Of more, there is no need to read on.
MAX_DIFFERENCES = 1_000

# Each side: account_id, day_on (a month's first, of statements), n requests, u units, c micro-dollars.
_COMPARE = """
    WITH l AS MATERIALIZED ({left}), r AS MATERIALIZED ({right}),
    unequal AS (
        SELECT account_id, day_on, coalesce(l.n, 0) - coalesce(r.n, 0) AS n, coalesce(l.u, 0) - coalesce(r.u, 0) AS u,
               coalesce(l.c, 0) - coalesce(r.c, 0) AS c
        FROM l FULL JOIN r USING (account_id, day_on)
        WHERE (coalesce(l.n, 0), coalesce(l.u, 0), coalesce(l.c, 0))
            IS DISTINCT FROM (coalesce(r.n, 0), coalesce(r.u, 0), coalesce(r.c, 0))
          AND NOT (r.account_id IS NULL AND day_on >= coalesce(%(pending_from)s::date, 'infinity'))
        ORDER BY 1, 2 LIMIT %(max_differences)s
    )
    SELECT NULL, NULL, n, u, c FROM (
        SELECT 1 AS place, coalesce(sum(n), 0) AS n, coalesce(sum(u), 0) AS u, coalesce(sum(c), 0) AS c FROM l
        UNION ALL
        SELECT 2, coalesce(sum(n), 0), coalesce(sum(u), 0), coalesce(sum(c), 0) FROM r
        ORDER BY place
    ) AS totals
    UNION ALL
    SELECT * FROM unequal
"""

Sums = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Difference:
    """Two sides that disagree about an account's day (None: about everything); numbers are left minus right."""

    sides: str
    account_id: int | None
    day_on: date | None
    n_requests: int
    units: int
    cost_micro_usd: int

    def __str__(self) -> str:
        where = "" if self.account_id is None else f" of account {self.account_id} on {self.day_on}"
        amounts = f"{self.n_requests:+,} requests, {self.units:+,} units, {format_usd(self.cost_micro_usd)}"
        return f"{self.sides}{where}: {amounts}"


@dataclass(frozen=True, slots=True)
class Compared:
    """Requests, units and micro-dollars of each side, and where they differ: by account and day, so many at most."""

    left: Sums
    right: Sums
    differences: tuple[Difference, ...]


def compare(
    sides: str, left: str, right: str, params: Mapping[str, Any], *, pending_from: date | datetime | None = None
) -> Compared:
    """`left` and `right` are SQL, made of no input. From `pending_from` on, the right side may still be missing."""
    with connection.cursor() as cursor:
        cursor.execute(
            _COMPARE.format(left=left, right=right),
            {**params, "pending_from": pending_from, "max_differences": MAX_DIFFERENCES},
        )
        of_left, of_right, *rows = cursor.fetchall()
    return Compared(
        left=_sums(of_left),
        right=_sums(of_right),
        differences=tuple(Difference(sides, row[0], row[1], *_sums(row)) for row in rows),
    )


def _sums(row: tuple[Any, ...]) -> Sums:
    return int(row[2]), int(row[3]), int(row[4])

"""Reads where a key's requests came from: from the raw records of a few days, within a bounded time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import OperationalError, connection, transaction
from psycopg.errors import QueryCanceled

from goongdash.lib.periods import day_of, day_start
from keys.models import ApiKey
from keys.origins import parse_url
from keys.restrictions import Restrictions
from stats.outcomes import OUTCOMES, Outcome
from stats.series import percent

DAYS = 7
N_SHOWN = 10
MOST_MS = 2_000

_ALLOWED, _NOT_ALLOWED = OUTCOMES[Outcome.ALLOWED].number, OUTCOMES[Outcome.ORIGIN_NOT_ALLOWED].number
# By the index of the account's records, in the partitions of those days only.
_COUNT = """
    SELECT origin, count(*), count(*) FILTER (WHERE outcome <> %(allowed)s),
           count(*) FILTER (WHERE outcome = %(not_allowed)s), min(at), max(at),
           sum(count(*)) OVER (), count(*) OVER ()
    FROM stats_usagerecord
    WHERE account_id = %(account)s AND at >= %(since)s AND at <= %(now)s AND key_id = %(key)s
    GROUP BY origin ORDER BY count(*) DESC, origin LIMIT %(most)s
"""


@dataclass(frozen=True, slots=True)
class OriginLine:
    """`origin` is empty where the requests named none. `to_allow` is an entry that would let it pass, where the
    key's list refused it and still does; else empty."""

    origin: str
    n_requests: int
    n_refused: int
    percent: float
    first_at: datetime
    last_at: datetime
    to_allow: str = ""


@dataclass(frozen=True, slots=True)
class Origins:
    """The most frequent ones; `n_more` are left out. `is_too_many`: they could not be counted in time."""

    lines: list[OriginLine]
    n_more: int = 0
    is_too_many: bool = False


def top_origins(key: ApiKey, *, now: datetime) -> Origins:
    """Of today and the days before it, DAYS in all, as the page's chart has them."""
    zone = settings.BILLING_ZONE
    asked: dict[str, Any] = {
        "account": key.account_id,
        "key": key.pk,
        "since": day_start(day_of(now, zone) - timedelta(days=DAYS - 1), zone),
        "now": now,
        "allowed": _ALLOWED,
        "not_allowed": _NOT_ALLOWED,
        "most": N_SHOWN,
    }
    try:
        with _bounded(), connection.cursor() as cursor:
            cursor.execute(_COUNT, asked)
            rows = cursor.fetchall()
    except OperationalError as error:
        if not isinstance(error.__cause__, QueryCanceled):
            raise
        return Origins([], is_too_many=True)
    restrictions = Restrictions.of(restriction.text for restriction in key.restrictions.all())
    lines = [
        OriginLine(origin, n, n_refused, percent(n, int(n_all)), first, last, _to_allow(origin, n_not, restrictions))
        for origin, n, n_refused, n_not, first, last, n_all, _n in rows
    ]
    return Origins(lines, n_more=rows[0][-1] - len(rows) if rows else 0)


def _to_allow(origin: str, n_not_allowed: int, restrictions: Restrictions) -> str:
    page = parse_url(origin)
    has_list = restrictions.patterns or restrictions.ip_ranges
    if page is None or not n_not_allowed or not has_list or any(p.matches(page) for p in restrictions.patterns):
        return ""
    return f"{origin}/*"


@contextmanager
def _bounded() -> Iterator[None]:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT set_config('statement_timeout', %s, true)", [str(MOST_MS)])
        yield
        cursor.execute("SET LOCAL statement_timeout = DEFAULT")

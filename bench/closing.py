"""Closing a month: ten thousand accounts, ten million rows of daily sums, nothing charged; stopped, and begun again."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import timedelta
from itertools import islice

from django.conf import settings
from django.db import connection

from billing.models import LedgerEntry, Statement, StatementLine
from billing.statements import month_close
from billing.verification import usage_verify
from goongdash.lib.clock import utc_now
from goongdash.lib.periods import Month, day_of

N_ACCOUNTS = 10_000
N_DAYS = 28
_ACCOUNTS = """
    INSERT INTO accounts_account (name, plan_id, is_active, asks_before_showing_keys, created_at)
    SELECT 'Account ' || n, (SELECT id FROM accounts_plan WHERE slug = 'free'), true, false, %(created_at)s
    FROM generate_series(1, %(n)s) AS n
"""
# Of each account's day, as many rows as come to the number asked for: keys and services in turn.
_DAYS = """
    INSERT INTO stats_dailyusage
        (account_id, key_id, service_id, outcome, day_on, n_requests, units, cost_micro_usd)
    SELECT account.id, account.id * 10 + place / service.n, service.ids[1 + place %% service.n], 0,
           %(first_on)s::date + day, 1, 1, 5000
    FROM accounts_account AS account, generate_series(0, %(n_days)s - 1) AS day,
         generate_series(0, %(n_each)s - 1) AS place,
         (SELECT array_agg(id ORDER BY id) AS ids, count(*)::int AS n FROM keys_service) AS service
"""


def measure(n_rows: int) -> dict[str, float]:
    """Seconds, and how much was written."""
    now = utc_now()
    month = Month.of(day_of(now, settings.BILLING_ZONE)).previous
    n_each = max(1, n_rows // (N_ACCOUNTS * N_DAYS))
    _make(month, n_each)
    stopped_s = _timed(lambda: list(islice(_closing(month), N_ACCOUNTS // 4)))
    closed_s = _timed(lambda: list(_closing(month)))
    again_s = _timed(lambda: list(_closing(month)))
    verified_at = time.perf_counter()
    found = usage_verify(now, records_from_on=day_of(now, settings.BILLING_ZONE))
    # The sums by hour and origin were not made.
    n_differences = sum(d.sides in {"days - ledger", "ledger - statements"} for d in found.differences)
    return {
        "daily sums (rows)": n_each * N_ACCOUNTS * N_DAYS,
        "closing, stopped after a quarter of the accounts (s)": stopped_s,
        "closing the rest (s)": closed_s,
        "closing, both together (s)": stopped_s + closed_s,
        "closing once more, nothing to do (s)": again_s,
        "statements": Statement.objects.count(),
        "statement lines": StatementLine.objects.count(),
        "ledger entries": LedgerEntry.objects.count(),
        "verify_usage of it (s)": time.perf_counter() - verified_at,
        "verify_usage, differences": n_differences,
    }


def _closing(month: Month) -> Iterator[Statement | None]:
    return month_close(month=month, now=utc_now())


def _make(month: Month, n_each: int) -> None:
    created_at = month.bounds(settings.BILLING_ZONE)[0] - timedelta(days=1)
    with connection.cursor() as cursor:
        cursor.execute(_ACCOUNTS, {"n": N_ACCOUNTS, "created_at": created_at})
        cursor.execute(_DAYS, {"first_on": month.first_day, "n_days": N_DAYS, "n_each": n_each})
        cursor.execute("VACUUM ANALYZE")  # As autovacuum would have, by the end of a month.


def _timed(act: object) -> float:
    start = time.perf_counter()
    act()  # type: ignore[operator]
    return time.perf_counter() - start
